package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/editlock/editlock"
)

func (d *Door) addTools() {
	no := false
	looks := &sdk.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &no, DestructiveHint: &no}
	holds := &sdk.ToolAnnotations{OpenWorldHint: &no, DestructiveHint: &no}
	add(d, &sdk.Tool{
		Name: "who_holds", Title: "Who holds a lock", Annotations: looks,
		Description: "Tells whether somebody is editing a record, who, since when, and until when unless they refresh. It changes nothing.",
	}, d.whoHolds)
	add(d, &sdk.Tool{
		Name: "list", Title: "List locks", Annotations: looks,
		Description: "Lists the locks that are held now and that you may see, in the order of their names.",
	}, d.list)
	add(d, &sdk.Tool{
		Name: "capture", Title: "Capture a lock", Annotations: holds,
		Description: "Captures the lock of a record before you change it. If somebody holds it, the call is refused and names them. The answer has a hold: refresh the lock by it while you work, and release it when you are done.",
	}, d.capture)
	add(d, &sdk.Tool{
		Name: "refresh", Title: "Refresh a lock", Annotations: &sdk.ToolAnnotations{OpenWorldHint: &no, DestructiveHint: &no, IdempotentHint: true},
		Description: "Keeps a lock that you hold from expiring. If it is lost, the answer says how, and who has it now: then stop, and don't save.",
	}, d.refresh)
	add(d, &sdk.Tool{
		Name: "release", Title: "Release a lock", Annotations: &sdk.ToolAnnotations{OpenWorldHint: &no, DestructiveHint: &no, IdempotentHint: true},
		Description: "Frees a lock that you hold. The first who waits for it gets it.",
	}, d.release)
	add(d, &sdk.Tool{
		Name: "ask_holder", Title: "Ask for a lock", Annotations: holds,
		Description: "Waits for a lock that somebody holds, and asks them, with a message, to hand it over. They may hand over, decline with an answer, or not answer. You get the lock when it is free and your turn. The question ends with the call.",
	}, d.askHolder)
	add(d, &sdk.Tool{
		Name: "history", Title: "History of locks", Annotations: looks,
		Description: "Tells what happened to locks, newest first: who captured, released, took over, when and why.",
	}, d.history)
}

// answer is what a tool says: a sentence, and its structured form. A nil error is
// success.
type answer[Out any] struct {
	text string
	out  Out
	err  error
}

// add adds a tool. What it says of an error is the problem of its form.
func add[In, Out any](d *Door, t *sdk.Tool, do func(ctx context.Context, req *sdk.CallToolRequest, in In) answer[Out]) {
	sdk.AddTool(d.server, t, func(ctx context.Context, req *sdk.CallToolRequest, in In) (*sdk.CallToolResult, Out, error) {
		a := do(ctx, req, in)
		res := &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: a.text}}, IsError: a.err != nil}
		return res, a.out, nil
	})
}

// told is the text of a problem.
func told(p *problem) string { return sentence(p.Message) + " " + p.Advice }

// sentence is a text that ends like one.
func sentence(text string) string {
	text = line(text)
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:] + "."
}

func (d *Door) whoHolds(ctx context.Context, req *sdk.CallToolRequest, in whoIn) answer[whoOut] {
	refused := func(err error) answer[whoOut] {
		p := problemOf(err)
		return answer[whoOut]{told(p), whoOut{State: "unknown", Problem: p}, err}
	}
	var h *hold
	if in.Hold != "" {
		given, err := parseHold(in.Hold)
		if err == nil && given.ID != in.root() {
			err = &editlock.InvalidError{Field: "hold", Problem: "is of another lock: " + name(given.ID)}
		}
		if err != nil {
			return refused(err)
		}
		h = &given
	}
	c, err := d.begin(ctx, req, named{}, h)
	if err != nil {
		return refused(err)
	}
	defer c.end()
	var state editlock.State
	var m editlock.Mutex
	err = c.act(ctx, func(ctx context.Context) (err error) {
		state, m, err = c.Locker.Request(ctx, in.root())
		return err
	})
	switch {
	case err != nil:
		return refused(err)
	case state == editlock.Free:
		return answer[whoOut]{text: fmt.Sprintf("Nobody is editing %s.", name(in.root())), out: whoOut{State: "free"}}
	}
	out := whoOut{State: "held", Lock: lockOf(m, state == editlock.CapturedByMe)}
	text := editing(m)
	if state == editlock.CapturedByMe {
		out.State = "yours"
		text = fmt.Sprintf("You hold %s since %s%s.", name(m.ID), moment(m.CapturedAt), expiry(m))
	}
	for _, other := range m.Others {
		out.Others = append(out.Others, lockOf(other, false))
		text += " " + editing(other)
	}
	if m.Waiting > 0 {
		text += fmt.Sprintf(" %d wait for it.", m.Waiting)
	}
	return answer[whoOut]{text: text, out: out}
}

func (d *Door) capture(ctx context.Context, req *sdk.CallToolRequest, in captureIn) answer[heldOut] {
	opts, err := in.options()
	if err != nil {
		return refusedHold(err)
	}
	c, err := d.begin(ctx, req, in.named, nil)
	if err != nil {
		return refusedHold(err)
	}
	defer c.end()
	var m editlock.Mutex
	err = c.act(ctx, func(ctx context.Context) (err error) {
		m, err = c.Locker.Capture(ctx, in.root(), opts)
		return err
	})
	if err != nil {
		return refusedHold(err)
	}
	return c.holding(m)
}

func refusedHold(err error) answer[heldOut] {
	p := problemOf(err)
	return answer[heldOut]{told(p), heldOut{State: "refused", Problem: p}, err}
}

// holding tells of a lock that the caller has.
func (c *call) holding(m editlock.Mutex) answer[heldOut] {
	out := heldOut{State: "captured", Hold: c.hold(m), Lock: lockOf(m, true)}
	text := fmt.Sprintf("You hold %s.", name(m.ID))
	if left, ends := m.ExpiresIn(); ends {
		out.Refresh = left.Seconds()
		text += fmt.Sprintf(" Refresh it within %s", span(left))
		if m.AutoRelease.MaxHold > 0 {
			text += fmt.Sprintf("; it ends %s after its capture at the latest", span(m.AutoRelease.MaxHold))
		}
		text += "."
	}
	for _, w := range m.Waiters {
		if w.Message != "" {
			text += fmt.Sprintf(" %s asks for it: %q.", who(w.Owner), line(w.Message))
		}
	}
	return answer[heldOut]{text: text + " Release it when you are done. hold: " + out.Hold, out: out}
}

func (in captureIn) options() (*editlock.CaptureOptions, error) {
	auto, err := in.autoRelease()
	if err != nil {
		return nil, err
	}
	opts := &editlock.CaptureOptions{StatusData: in.StatusData, AutoRelease: auto, Limit: in.Limit}
	switch in.Sharing {
	case "":
	case "exclusive":
		opts.Sharing = editlock.Exclusive
	case "shared":
		opts.Sharing = editlock.Shared
	default:
		return nil, &editlock.InvalidError{Field: "sharing", Problem: fmt.Sprintf("%.40q is not known; exclusive and shared are", in.Sharing)}
	}
	return opts, nil
}

func (d *Door) refresh(ctx context.Context, req *sdk.CallToolRequest, in refreshIn) answer[heldOut] {
	h, err := parseHold(in.Hold)
	if err != nil {
		return refusedHold(err)
	}
	auto, err := in.autoRelease()
	if err != nil {
		return refusedHold(err)
	}
	c, err := d.begin(ctx, req, named{}, &h)
	if err != nil {
		return refusedHold(err)
	}
	defer c.end()
	m, err := c.renew(ctx, editlock.RefreshItem{ID: h.ID, Token: h.Token, StatusData: in.StatusData, AutoRelease: auto})
	if err != nil {
		return refusedHold(err)
	}
	return c.holding(m)
}

// renew refreshes a hold of the caller's.
func (c *call) renew(ctx context.Context, item editlock.RefreshItem) (m editlock.Mutex, err error) {
	err = c.act(ctx, func(ctx context.Context) error {
		results, err := c.Locker.Refresh(ctx, []editlock.RefreshItem{item})
		if err != nil {
			return err
		}
		m = results[0].Mutex
		return results[0].Err
	})
	return m, err
}

func (d *Door) release(ctx context.Context, req *sdk.CallToolRequest, in releaseIn) answer[releaseOut] {
	refused := func(err error) answer[releaseOut] {
		p := problemOf(err)
		return answer[releaseOut]{told(p), releaseOut{Problem: p}, err}
	}
	h, err := parseHold(in.Hold)
	if err != nil {
		return refused(err)
	}
	c, err := d.begin(ctx, req, named{}, &h)
	if err != nil {
		return refused(err)
	}
	defer c.end()
	released := false
	err = c.act(ctx, func(ctx context.Context) (err error) {
		released, err = c.Locker.Release(ctx, h.ID, editlock.IfToken(h.Token))
		return err
	})
	if err == nil && !released { // why: a refresh knows
		_, err = c.renew(ctx, editlock.RefreshItem{ID: h.ID, Token: h.Token})
	}
	var lost *editlock.LostError
	switch {
	case errors.As(err, &lost):
		p := problemOf(err)
		return answer[releaseOut]{sentence(p.Message) + " There was nothing to release.", releaseOut{Problem: p}, nil}
	case err != nil:
		return refused(err)
	}
	return answer[releaseOut]{text: fmt.Sprintf("You have released %s.", name(h.ID)), out: releaseOut{Released: true}}
}
