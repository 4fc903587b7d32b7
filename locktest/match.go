package locktest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// match reports the first difference between what a scenario wants and JSON
// that was got. Objects may have more members than wanted; null wants null, or
// nothing at all. An object with one member that begins with ? is a rule.
func match(want, got any) error {
	return matchAt("the answer", want, got)
}

func matchAt(path string, want, got any) error {
	switch w := want.(type) {
	case nil:
		if got != nil {
			return fmt.Errorf("%s is %v, want none", path, got)
		}
	case map[string]any:
		for name, arg := range w {
			if strings.HasPrefix(name, "?") {
				if err := matchRule(name, arg, got); err != nil {
					return fmt.Errorf("%s is %v, want %w", path, got, err)
				}
				return nil
			}
		}
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v, want an object", path, got)
		}
		for name, x := range w {
			if err := matchAt(path+"."+name, x, g[name]); err != nil {
				return err
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Errorf("%s is %v, want %d elements", path, got, len(w))
		}
		for i := range w {
			if err := matchAt(fmt.Sprintf("%s[%d]", path, i), w[i], g[i]); err != nil {
				return err
			}
		}
	default:
		if want != got {
			return fmt.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	return nil
}

// matchRule applies one of the rules of the scenarios' README.
func matchRule(rule string, arg, got any) error {
	switch rule {
	case "?any":
		if got == nil {
			return fmt.Errorf("anything")
		}
	case "?above":
		if x, y := number(got), number(arg); x == nil || y == nil || x.Cmp(y) <= 0 {
			return fmt.Errorf("more than %v", arg)
		}
	case "?between":
		bounds, ok := arg.([]any)
		if !ok || len(bounds) != 2 {
			return fmt.Errorf("a rule that makes sense, not %v", arg)
		}
		low, high, x := number(bounds[0]), number(bounds[1]), number(got)
		if x == nil || low == nil || high == nil || x.Cmp(low) < 0 || x.Cmp(high) > 0 {
			return fmt.Errorf("between %v and %v", bounds[0], bounds[1])
		}
	case "?seconds":
		text, _ := got.(string)
		d, err := time.ParseDuration(text)
		if want := number(arg); err != nil || want == nil || want.Cmp(new(big.Float).SetFloat64(d.Seconds())) != 0 {
			return fmt.Errorf("a duration of %v seconds", arg)
		}
	default:
		return fmt.Errorf("a rule that is known, not %s", rule)
	}
	return nil
}

func number(v any) *big.Float {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	f, ok := new(big.Float).SetString(n.String())
	if !ok {
		return nil
	}
	return f
}

// at finds what stands at a path such as mutex.waiters.0.id.
func at(body any, path string) (any, error) {
	for name := range strings.SplitSeq(path, ".") {
		switch b := body.(type) {
		case map[string]any:
			body = b[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(b) {
				return nil, fmt.Errorf("%s of %s %w", name, path, errNotThere)
			}
			body = b[i]
		default:
			body = nil
		}
		if body == nil {
			return nil, fmt.Errorf("%s of %s %w", name, path, errNotThere)
		}
	}
	return body, nil
}
