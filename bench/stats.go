package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// table prints Markdown; its elements are the column heads.
type table []string

func (t table) head() {
	t.row(t...)
	fmt.Println("|" + strings.Repeat(" --- |", len(t)))
}

func (t table) row(cells ...string) {
	fmt.Println("| " + strings.Join(cells, " | ") + " |")
}

// quantile of a sorted slice.
func quantile[T any](sorted []T, q float64) T {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func median[T cmp.Ordered](values []T) T {
	return quantile(slices.Sorted(slices.Values(values)), 0.5)
}

// spread is the median with the least and the most.
func spread(values []float64, format string) string {
	return fmt.Sprintf(format+" ["+format+"-"+format+"]", median(values), slices.Min(values), slices.Max(values))
}

// round keeps three digits or so.
func round(d time.Duration) time.Duration {
	switch {
	case d > 100*time.Millisecond:
		return d.Round(time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}

// quantiles prints some quantiles of unsorted times.
func quantiles(took []time.Duration, qs ...float64) string {
	slices.Sort(took)
	var out []string
	for _, q := range qs {
		out = append(out, fmt.Sprint(round(quantile(took, q))))
	}
	return strings.Join(out, " / ")
}
