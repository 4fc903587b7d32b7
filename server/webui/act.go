package webui

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/entry"
)

// target is a lock as the reader saw it: in the hands of one holder. Nothing
// is done to it in the hands of another.
type target struct {
	ID    editlock.ID
	Token editlock.Token
}

func (t target) String() string { return t.ID.String() + " " + strconv.FormatUint(uint64(t.Token), 10) }

func parseTarget(text string) (target, error) {
	name, number, _ := strings.Cut(text, " ") // canonical names have no blanks
	token, err := strconv.ParseUint(number, 10, 53)
	if err != nil || token == 0 {
		return target{}, &editlock.InvalidError{Field: "lock", Problem: "must be the name of a lock and a token"}
	}
	id, err := parseName(name)
	return target{id, editlock.Token(token)}, err
}

// What can be done to locks.
const (
	release  = "release"
	takeOver = "takeover"
)

// errMayNot is the refusal of somebody who may only look.
var errMayNot = errors.New("may not do this")

// may reports whether somebody may do this to a lock of the given owner.
func (i Identity) may(do string, id editlock.ID, o editlock.Owner) bool {
	switch {
	case !i.known():
		return false
	case i.Owner.SameHolder(o):
		return do == release || i.MayTakeOver
	case !i.Owner.MayEnd(o):
		return false
	case do == takeOver:
		return i.MayTakeOver || i.takesFromAgent(id, o)
	}
	return i.MayRelease
}

// takesFromAgent reports whether a lock is an agent's, which a person takes over
// without a right to take over.
func (i Identity) takesFromAgent(id editlock.ID, o editlock.Owner) bool {
	return i.known() && o.YieldsTo(i.Owner) &&
		(i.Usable == nil || slices.ContainsFunc(i.Usable, func(a editlock.Area) bool { return a.Contains(id, editlock.Owner{}) }))
}

// targets reads which locks a form means: one named by its own button, all
// that a filter leaves, or those that are ticked; with below, also all that is below
// these and below the names in of.
func (h *handler) targets(r *http.Request) ([]target, error) {
	form := r.PostForm
	named := form["lock"]
	switch {
	case form.Get("one") != "":
		named = form["one"][:1]
	case form.Get("below") != "":
		all, err := h.withBelow(r, form["of"], named)
		if err != nil {
			return nil, err
		}
		named = all
	case form.Get("all") != "":
		back, err := url.Parse(localPath(form.Get("back")))
		if err != nil {
			return nil, &editlock.InvalidError{Field: "back", Problem: "must be an address"}
		}
		s, now, err := h.seen(r)
		if err != nil {
			return nil, err
		}
		f := readFilter(back.Query())
		if who := back.Query().Get("who"); who != "" { // a person's page
			f.Person = who
		}
		if !f.Narrows() && !f.Mine {
			break // never everything at once
		}
		f.after, f.page = "", 1
		var found selection
		me := h.identify(r)
		if err := h.look(r.Context(), me, s, func() { found = f.of(s, me, now, editlock.MaxBatch+1) }); err != nil {
			return nil, err
		}
		named = nil
		for _, l := range found.rows {
			named = append(named, target{l.ID, l.Token}.String())
		}
	}
	if len(named) > editlock.MaxBatch {
		return nil, &editlock.InvalidError{Field: "lock", Problem: "may be given " + strconv.Itoa(editlock.MaxBatch) + " times at most"}
	}
	var out []target
	for _, text := range named {
		t, err := parseTarget(text)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	if h.items != nil {
		return out, h.items(r, len(out))
	}
	return out, nil
}

// withBelow adds to locks of a form what is below them and below more names, and may
// be released: as many as one form may have.
func (h *handler) withBelow(r *http.Request, names, locks []string) ([]string, error) {
	var of []target
	for _, text := range locks {
		t, err := parseTarget(text)
		if err != nil {
			return nil, err
		}
		of = append(of, t)
	}
	for _, name := range names {
		id, err := parseName(name)
		if err != nil {
			return nil, err
		}
		of = append(of, target{ID: id})
	}
	found, err := h.below(r, h.identify(r), of)
	if err != nil {
		return nil, err
	}
	for _, t := range found[:max(0, min(len(found), editlock.MaxBatch-len(locks)))] {
		locks = append(locks, t.String())
	}
	return locks, nil
}

// outcome is what became of one lock.
type outcome struct {
	target
	Problem string          // key of a text; empty: it is done
	Holder  *editlock.Owner // who has it now, where that is the problem
	Held    *editlock.ID    // what the holder has, where that is something above or below it
	Detail  string          // the error, where there is no text for it
}

type outcomeView struct {
	Do     string
	Done   int
	Failed []outcome
	Back   string
}

// chosen are the locks that a form names; false: it was answered.
func (h *handler) chosen(w http.ResponseWriter, r *http.Request) (wanted []target, ok bool) {
	if !h.readForm(w, r) {
		return nil, false
	}
	wanted, err := h.targets(r)
	if err != nil {
		h.refuse(w, r, err)
	}
	return wanted, err == nil
}

// act does what was confirmed. Done again it does no harm: what was released
// or taken over is not as the tokens say any more.
func (h *handler) act(w http.ResponseWriter, r *http.Request) {
	wanted, ok := h.chosen(w, r)
	if !ok {
		return
	}
	if r.Form.Get("at_once") != "" {
		h.atOnce(w, r, wanted)
		return
	}
	// Of several lines one is made: a reason is a line in the history.
	me, do, reason := h.identify(r), doing(r), strings.Join(strings.Fields(r.PostForm.Get("reason")), " ")
	if len(reason) > editlock.MaxMessage || reason == "" && r.PostForm.Get("reasoned") != "" {
		h.ask(w, r, wanted, http.StatusUnprocessableEntity)
		return
	}
	h.perform(w, r, me, do, wanted, reason)
}

// atOnce takes locks over from agents, without asking: a person needs no right for it
// and no reason of their own. Locks of others are asked about.
func (h *handler) atOnce(w http.ResponseWriter, r *http.Request, wanted []target) {
	me := h.identify(r)
	found, err := h.held(r, me, wanted)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	for _, t := range wanted {
		if l := found[t]; l == nil || doing(r) != takeOver || !me.takesFromAgent(t.ID, l.Owner) {
			h.ask(w, r, wanted, http.StatusOK)
			return
		}
	}
	h.perform(w, r, me, takeOver, wanted, h.pages[languageOf(r)].words["takeover.from_agent"])
}

// perform does something to locks, and leads back or tells what was not done.
func (h *handler) perform(w http.ResponseWriter, r *http.Request, me Identity, do string, wanted []target, reason string) {
	v := outcomeView{Do: do, Back: localPath(r.PostForm.Get("back"))}
	ctx := editlock.WithOwner(r.Context(), me.Owner)
	for i, err := range together(ctx, wanted, func(t target) error { return h.do(ctx, me, do, t, reason) }) {
		if err != nil {
			v.Failed = append(v.Failed, h.outcome(wanted[i], err))
			continue
		}
		v.Done++
	}
	if v.Done > 0 {
		h.forget()
	}
	if len(v.Failed) > 0 || v.Done == 0 {
		h.render(w, r, page{Name: "outcome", Title: "outcome." + do, At: v.Back}, v)
		return
	}
	setCookie(w, r, doneCookie, do+"."+strconv.Itoa(v.Done), 60)
	entry.Redirect(w, r, v.Back)
}

// abreast is how many locks of one form are acted on at a time.
const abreast = 16

// together calls f for all targets and returns the errors in their order. Once
// ctx has ended it calls no more.
func together(ctx context.Context, all []target, f func(target) error) []error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	slots := make(chan struct{}, abreast)
	for i, t := range all {
		slots <- struct{}{}
		wg.Go(func() {
			if errs[i] = ctx.Err(); errs[i] != nil {
				<-slots
				return
			}
			errs[i] = f(t)
			<-slots
		})
	}
	wg.Wait()
	return errs
}

func (h *handler) do(ctx context.Context, me Identity, do string, t target, reason string) error {
	state, m, err := h.locker.Request(ctx, t.ID)
	if err == nil && m.ID != t.ID { // it is free itself, and something above or below it is held
		state = editlock.Free
	}
	if meant, ok := m.ByToken(t.Token); ok {
		m = meant
	} else if m.Beside > len(m.Others) { // it is one of those who are not told of
		m.Owner = editlock.Owner{}
	}
	switch {
	case err != nil:
		return err
	case state == editlock.Free:
		return &editlock.NotHeldError{ID: t.ID}
	case !me.may(do, t.ID, m.Owner):
		return errMayNot
	case do == takeOver:
		_, err = h.locker.Takeover(ctx, t.ID, t.Token, reason, nil)
		return err
	case !m.Owner.SameHolder(me.Owner):
		return h.locker.ForceRelease(ctx, t.ID, t.Token, reason)
	}
	released, err := h.locker.Release(ctx, t.ID, editlock.IfToken(t.Token))
	if err == nil && !released {
		return &editlock.LostError{ID: t.ID}
	}
	return err
}

func (h *handler) outcome(t target, err error) outcome {
	out := outcome{target: t}
	var busy *editlock.BusyError
	var lost *editlock.LostError
	switch {
	case errors.As(err, &busy) && busy.Holder.ID != t.ID:
		out.Problem, out.Holder, out.Held = "outcome.path", &busy.Holder.Owner, &busy.Holder.ID
	case errors.As(err, &busy) && busy.Self:
		out.Problem = "outcome.self"
	case errors.As(err, &busy):
		out.Problem, out.Holder = "outcome.busy", &busy.Holder.Owner
	case errors.As(err, &lost) && lost.Holder != nil:
		out.Problem, out.Holder = "outcome.busy", &lost.Holder.Owner
	case errors.As(err, &lost), errors.Is(err, editlock.ErrNotHeld):
		out.Problem = "outcome.free"
	case errors.As(err, new(*editlock.HeldByPersonError)):
		out.Problem = "outcome.person"
	case errors.Is(err, errMayNot), errors.Is(err, editlock.ErrForbidden):
		out.Problem = "outcome.may_not"
	case errors.Is(err, editlock.ErrUnavailable):
		out.Problem = "outcome.store"
	default:
		h.log.Warn("acting on a lock", "lock", t.ID.String(), "error", err)
		out.Problem, out.Detail = "outcome.other", err.Error()
	}
	return out
}

// doneCookie carries what was done to the page that is shown next.
const doneCookie = "editlock_done"

// done reads what was just done, once.
func (h *handler) done(w http.ResponseWriter, r *http.Request, in words) string {
	c, err := r.Cookie(doneCookie)
	if err != nil || r.Method != http.MethodGet || r.Header.Get("If-None-Match") != "" {
		return ""
	}
	setCookie(w, r, doneCookie, "", -1)
	do, number, _ := strings.Cut(c.Value, ".")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || do != release && do != takeOver {
		return ""
	}
	text, _ := in.text("done."+do, "n", n)
	return text
}
