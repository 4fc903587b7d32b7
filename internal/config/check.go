package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/server/webui"
)

// check finds what does not go together.
func (c *Config) check() error {
	for _, origin := range c.HTTP.Origins {
		if err := httpapi.CheckOrigin(origin); err != nil {
			return fmt.Errorf("http.origins: %w", err)
		}
	}
	if c.History.MaxEntries < 0 {
		return fmt.Errorf("history.max_entries: %w",
			fault.New("negative_entries", "must be 0, for all, or more, not %d", c.History.MaxEntries))
	}
	limits := reflect.ValueOf(c.Limits)
	for i := range limits.NumField() {
		if n := limits.Field(i).Int(); n < 0 {
			return fmt.Errorf("limits.%s: %w", limits.Type().Field(i).Tag.Get("toml"),
				fault.New("negative_limit", "must be 0, for none, or more, not %d", n))
		}
	}
	for _, group := range c.Presence.Off {
		if err := group.Validate(); err != nil {
			return fmt.Errorf("presence.off: %w", err)
		}
	}
	if err := c.Policy().Validate(); err != nil {
		return err
	}
	for i, l := range c.Links {
		if err := checkLink(l); err != nil {
			return fmt.Errorf("link %d: %w", i+1, err)
		}
	}
	for i, h := range c.Holders {
		if err := c.checkHolders(h, c.Holders[:i]); err != nil {
			return fmt.Errorf("limit %d: %w", i+1, err)
		}
	}
	return c.checkUsers()
}

func (c *Config) checkHolders(h Holders, before []Holders) error {
	if err := (editlock.ID{Group: h.Group, Mode: h.Mode, ID: "1"}).Validate(); err != nil {
		return err
	}
	if h.Most < 1 || h.Most > editlock.MaxHolders {
		return fmt.Errorf("holders: %w", fault.New("holders_out_of_range", "must be between %d and %d, not %d", 1, editlock.MaxHolders, h.Most))
	}
	for i, other := range before {
		if h.Group == other.Group && h.Mode == other.Mode {
			return fault.New("limit_twice", "it is for the group %q and mode %q, as limit %d is", h.Group, h.Mode, i+1)
		}
	}
	return nil
}

func checkLink(l webui.Link) error {
	if err := auth.Pattern(l.Group).Validate(); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	if err := auth.Pattern(l.Mode).Validate(); err != nil {
		return fmt.Errorf("mode: %w", err)
	}
	if strings.HasPrefix(l.URL, "/") { // a page of the server itself
		l.URL = strings.TrimLeft(l.URL, "/")
	}
	return l.Validate()
}

// Policy is who may do what.
func (c *Config) Policy() *access.Policy { return &access.Policy{Rules: c.Rules, Ranks: c.Ranks} }

// checkUsers refuses issuers, and client certificates, whose users would be taken
// for each other's, unless the same prefix is written out for both.
func (c *Config) checkUsers() error {
	type source struct {
		issuer, prefix string
		said           bool // the prefix is written out
	}
	for _, prefix := range c.prefixes() {
		if err := (editlock.Owner{Session: "s", UserID: prefix + "u"}).Validate(); err != nil {
			return fmt.Errorf("user_prefix %.100q: with it no user can be called: %w", prefix, err)
		}
	}
	var all []source
	for _, i := range c.Issuers {
		for _, other := range all {
			if other.issuer == i.Name {
				return fault.New("issuer_twice", "issuer %q is there twice", i.Name)
			}
		}
		all = append(all, source{i.Name, text(i.UserPrefix), i.UserPrefix != nil})
	}
	if c.Login != nil {
		all = append(all, source{c.Login.Issuer, text(c.Login.UserPrefix), c.Login.UserPrefix != nil})
	}
	if c.ClientCA != "" {
		all = append(all, source{"client certificates", c.certificatePrefix(), c.Certificates.UserPrefix != nil})
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if a.issuer != b.issuer && a.prefix == b.prefix && !(a.said && b.said) {
				return fault.New("users_mixed", "users of %q and %q would be taken for each other's: give each a user_prefix (or the same to both, if they are the same people)", b.issuer, a.issuer)
			}
		}
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
