package httpapi

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/presence"
)

const (
	// maxRecords is how many records a list may ask about at once.
	maxRecords = 100
	// askedAtOnce is how many of them the store is asked about at a time.
	askedAtOnce = 8
)

// present keeps a page present, and tells who else looks at what it shows.
func present(c *call, in *wire.PresenceRequest) (any, error) {
	page := &wire.Looks{Page: in.Page, Looks: in.Looks}
	looks, err := looksOf(page, "")
	if err == nil {
		err = c.actAs(in.Owner)
	}
	if err == nil {
		err = editlock.OwnerFrom(c.ctx).Validate()
	}
	if err == nil && c.caller != nil {
		err = c.opts.Access.AdmitItems(c.caller, len(looks))
	}
	if err != nil {
		return nil, err
	}
	return &wire.PresenceAnswer{Results: c.look(page.Page, looks)}, nil
}

// looksOf checks what a page says that it shows. at is where that stands in the
// body.
func looksOf(in *wire.Looks, at string) ([]presence.Look, error) {
	switch {
	case in.Page == "":
		return nil, invalid(at+"page", "page_missing", "is missing: it names the page among those of its session")
	case len(in.Page) > presence.MaxPage:
		return nil, invalid(at+"page", "too_long", "is %d bytes long; at most %d are allowed", len(in.Page), presence.MaxPage)
	case strings.ContainsFunc(in.Page, unicode.IsControl):
		return nil, invalid(at+"page", "control_character", "has a control character at byte %d; none is allowed",
			strings.IndexFunc(in.Page, unicode.IsControl))
	case in.Looks == nil:
		return nil, invalid(at+"looks", "looks_missing", "is missing; it is empty if the page closes")
	case len(in.Looks) > editlock.MaxBatch:
		return nil, invalid(at+"looks", "too_many_items", "has %d items; at most %d are allowed", len(in.Looks), editlock.MaxBatch)
	}
	looks := make([]presence.Look, len(in.Looks))
	seen := make(map[editlock.ID]bool, len(looks))
	for i, l := range in.Looks {
		here := fmt.Sprintf("%slooks[%d].", at, i)
		id, err := oneAt(l.Mutex, here, seen)
		if err != nil {
			return nil, err
		}
		state := presence.State(l.State)
		if state == "" {
			state = presence.Looking
		}
		if !state.Valid() {
			return nil, invalid(here+"state", "unknown_state", "must be unsaved, editing, looking or idle, not %q", short(l.State))
		}
		looks[i] = presence.Look{ID: id, State: state, Hidden: l.Hidden}
	}
	return looks, nil
}

// oneAt checks a mutex of a list that names each once.
func oneAt(form *wire.ID, at string, seen map[editlock.ID]bool) (editlock.ID, error) {
	if form == nil {
		return editlock.ID{}, invalid(at+"mutex", "missing", "is missing")
	}
	id := form.Root()
	var bad *editlock.InvalidError
	if err := id.Validate(); errors.As(err, &bad) {
		in := *bad
		in.Field = at + bad.Field
		return id, &in
	}
	if seen[id] {
		return id, invalid(at+"mutex", "named_twice", "is there twice; name each once")
	}
	seen[id] = true
	return id, nil
}

// look handles a heartbeat of a page of the call's owner, and returns its answer.
func (c *call) look(page string, looks []presence.Look) []wire.LookResult {
	owner := editlock.OwnerFrom(c.ctx)
	out := make([]wire.LookResult, len(looks))
	who := presence.Visitor{Owner: owner}
	var allowed []presence.Look
	var at []int
	for i := range looks {
		if c.caller != nil {
			if err := c.opts.Access.Look(c.ctx, c.caller, looks[i].ID); err != nil {
				out[i].Problem = c.problem(c.r, err)
				continue
			}
		}
		allowed, at = append(allowed, looks[i]), append(at, i)
	}
	if c.caller != nil {
		who.Account = c.caller.Name
		if who.Most = c.opts.Access.Looks(c.caller); who.Most == 0 {
			who.Most = math.MaxInt
		}
	}
	errs := c.opts.Presence.Beat(who, page, allowed)
	for i, err := range errs {
		if errors.Is(err, presence.ErrMany) && c.caller != nil {
			err = c.opts.Access.TooManyLooks(c.caller)
		}
		if err != nil {
			out[at[i]].Problem = c.problem(c.r, err)
			continue
		}
		company := c.company(owner, allowed[i].ID)
		out[at[i]].Company = &company
	}
	return out
}

// company is who looks at a record beside a reader, as the caller is shown them.
func (c *call) company(reader editlock.Owner, id editlock.ID) wire.Company {
	seen := c.opts.Presence.See(reader, id)
	out := wire.Company{People: make([]wire.Person, len(seen.People)), Count: seen.Count}
	for i, p := range seen.People {
		out.People[i] = wire.Person{Owner: wire.OwnerForm(c.shown(p.Owner)), State: string(p.State), Since: p.Since.UTC()}
	}
	return out
}

// shown is an owner as the caller is shown them.
func (c *call) shown(o editlock.Owner) editlock.Owner {
	if c.caller != nil {
		o.Session = c.caller.Shown(o.Session)
	}
	return o
}

// whoIs tells of the records of a list who edits and who looks at them.
func whoIs(c *call, in *wire.PresenceQuery) (any, error) {
	if n := len(in.Mutexes); n == 0 || n > maxRecords {
		return nil, invalid("mutexes", "item_count", "has %d items; between 1 and %d are allowed", n, maxRecords)
	}
	ids, seen := make([]editlock.ID, len(in.Mutexes)), make(map[editlock.ID]bool)
	for i := range in.Mutexes {
		var err error
		if ids[i], err = oneAt(&in.Mutexes[i], fmt.Sprintf("mutexes[%d].", i), seen); err != nil {
			return nil, err
		}
	}
	if err := c.actAsIfGiven(in.Owner); err != nil {
		return nil, err
	}
	if c.caller != nil {
		if err := c.opts.Access.AdmitItems(c.caller, len(ids)); err != nil {
			return nil, err
		}
	}
	out := &wire.PresenceQueryAnswer{Results: make([]wire.RecordResult, len(ids))}
	var asking sync.WaitGroup
	turns := make(chan struct{}, askedAtOnce)
	for i, id := range ids {
		turns <- struct{}{}
		asking.Go(func() {
			defer func() { <-turns }()
			out.Results[i] = c.record(id)
		})
	}
	asking.Wait()
	return out, c.ctx.Err()
}

// record tells of one record.
func (c *call) record(id editlock.ID) wire.RecordResult {
	state, m, err := c.locker.Request(c.ctx, id)
	if err != nil {
		return wire.RecordResult{Problem: c.problem(c.r, err)}
	}
	company := c.company(editlock.OwnerFrom(c.ctx), id)
	out := wire.Record{Readers: []wire.Reader{}, People: company.People, Count: company.Count}
	if state == editlock.Free {
		return wire.RecordResult{Record: &out}
	}
	for i, held := range append([]editlock.Mutex{m}, m.Others...) {
		owner, at, mine := wire.OwnerForm(held.Owner), held.CapturedAt, i == 0 && state == editlock.CapturedByMe
		switch {
		case held.Sharing == editlock.Shared: // nobody is told of an editor who does not edit
			out.Readers = append(out.Readers, wire.Reader{Owner: owner, CapturedAt: at, Mine: mine})
		case out.Holder == nil:
			out.Holder, out.CapturedAt, out.Mine = &owner, &at, mine
		}
	}
	return wire.RecordResult{Record: &out}
}
