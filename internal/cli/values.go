package cli

import (
	"errors"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// termFlags say how long a mutex is held, and what is kept with it.
type termFlags struct {
	idle       idleValue
	maxHold    *wire.Duration
	statusData string
	grantAfter time.Duration
}

func (a *app) termFlags(fs *pflag.FlagSet) *termFlags {
	t := &termFlags{}
	fs.Var(&t.idle, "idle", a.words.Text("flag.idle"))
	fs.Var(&durationValue{&t.maxHold}, "max-hold", a.words.Text("flag.max_hold"))
	fs.StringVar(&t.statusData, "status-data", "", a.words.Text("flag.status_data"))
	fs.DurationVar(&t.grantAfter, "grant-after", 0, a.words.Text("flag.grant_after"))
	return t
}

// fill puts the terms into options.
func (t *termFlags) fill(opts *editlock.CaptureOptions) error {
	auto := &wire.AutoRelease{Idle: (*wire.Idle)(t.idle.idle), MaxHold: t.maxHold, Never: t.idle.never}
	var err error
	opts.AutoRelease, err = auto.Root("auto_release")
	opts.StatusData, opts.GrantAfter = t.statusData, t.grantAfter
	return err
}

// shareFlags say who may hold a mutex at the same time.
type shareFlags struct {
	shared, exclusive bool
	limit             int
}

func (a *app) shareFlags(fs *pflag.FlagSet) *shareFlags {
	s := &shareFlags{}
	fs.BoolVar(&s.shared, "shared", false, a.words.Text("flag.shared"))
	fs.BoolVar(&s.exclusive, "exclusive", false, a.words.Text("flag.exclusive"))
	fs.IntVar(&s.limit, "limit", 0, a.words.Text("flag.holders"))
	return s
}

func (s *shareFlags) fill(opts *editlock.CaptureOptions) {
	switch opts.Limit = s.limit; {
	case s.shared:
		opts.Sharing = editlock.Shared
	case s.exclusive:
		opts.Sharing = editlock.Exclusive
	}
}

// belowFlag says that an ID stands for all that is below it.
type belowFlag struct{ set bool }

func (a *app) belowFlag(fs *pflag.FlagSet) *belowFlag {
	b := &belowFlag{}
	fs.BoolVar(&b.set, "below", false, a.words.Text("flag.below"))
	return b
}

func (b *belowFlag) id(text string) (editlock.ID, error) {
	if b.set {
		return editlock.ParseBelow(text)
	}
	return editlock.ParseID(text)
}

// waitFlags say how to wait for what another holds.
type waitFlags struct {
	wait    time.Duration
	message string
}

func (a *app) waitFlags(fs *pflag.FlagSet) *waitFlags {
	w := &waitFlags{}
	fs.DurationVar(&w.wait, "wait", 0, a.words.Text("flag.wait"))
	fs.StringVar(&w.message, "message", "", a.words.Text("flag.message"))
	return w
}

func (w *waitFlags) fill(opts *editlock.CaptureOptions) {
	opts.Wait, opts.Message = w.wait, w.message
}

// conditionFlags make a capture or release compare and swap.
type conditionFlags struct {
	free       bool
	statusData string
	token      uint64
	flags      *pflag.FlagSet
}

func (a *app) conditionFlags(fs *pflag.FlagSet, free bool) *conditionFlags {
	c := &conditionFlags{flags: fs}
	if free {
		fs.BoolVar(&c.free, "if-free", false, a.words.Text("flag.if_free"))
	}
	fs.StringVar(&c.statusData, "if-status-data", "", a.words.Text("flag.if_status_data"))
	fs.Uint64Var(&c.token, "if-token", 0, a.words.Text("flag.if_token"))
	return c
}

func (c *conditionFlags) get() editlock.Condition {
	switch {
	case c.free:
		return editlock.IfFree()
	case c.flags.Changed("if-status-data"):
		return editlock.IfStatusData(c.statusData)
	case c.flags.Changed("if-token"):
		return editlock.IfToken(editlock.Token(c.token))
	}
	return editlock.Condition{}
}

var errValue = errors.New("not a value of this flag") // what is allowed, flagError says

// idleValue is a duration or never. Its zero value says nothing.
type idleValue struct {
	idle  *wire.Duration
	never bool
}

func (v *idleValue) Set(text string) error {
	*v = idleValue{never: text == "never"}
	if v.never {
		return nil
	}
	return (&durationValue{&v.idle}).Set(text)
}

func (v *idleValue) String() string { return "" }

func (v *idleValue) Type() string { return "idle" }

// durationValue is a duration that may be absent, which is not the same as 0.
type durationValue struct{ to **wire.Duration }

func (v *durationValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return errValue
	}
	*v.to = (*wire.Duration)(&d)
	return nil
}

func (v *durationValue) String() string { return "" }

func (v *durationValue) Type() string { return "duration" }

// timeValue is a moment: a date or a local time, or one with its zone.
type timeValue struct{ to *time.Time }

func (v timeValue) Set(text string) error {
	for _, form := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			*v.to = t
			return nil
		}
	}
	return errValue
}

func (v timeValue) String() string { return "" }

func (v timeValue) Type() string { return "time" }

// kindValue is a kind of owner.
type kindValue struct{ to *editlock.OwnerKind }

func (v kindValue) Set(text string) error {
	if err := v.to.UnmarshalText([]byte(text)); err != nil {
		return errValue
	}
	return nil
}

func (v kindValue) String() string { return "" }

func (v kindValue) Type() string { return "kind" }

// seqValue is the number of an event that may be absent.
type seqValue struct{ to **uint64 }

func (v seqValue) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return errValue
	}
	*v.to = &n
	return nil
}

func (v seqValue) String() string { return "" }

func (v seqValue) Type() string { return "number" }
