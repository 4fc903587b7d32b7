package auth

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/bidi"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

// Claims says in which claims an issuer tells what. Empty fields are the
// defaults. The user is always sub.
type Claims struct {
	Login  string `toml:"login"`  // preferred_username
	Name   string `toml:"name"`   // name
	Groups string `toml:"groups"` // groups; a dot leads into an object, as in realm_access.roles
}

// sessionClaims are where a token names the session, first come.
var sessionClaims = []string{"editlock.session", "sid", "jti"}

// ownClaim is the form of the claim editlock, which says what no standard
// claim does.
type ownClaim struct {
	Session string  `json:"session,omitempty"`
	Host    string  `json:"host,omitempty"`
	Grants  []Grant `json:"grants,omitempty"`
	Rank    int     `json:"rank,omitempty"`

	Kind       *editlock.OwnerKind `json:"kind,omitempty"`
	OnBehalfOf string              `json:"on_behalf_of,omitempty"`
}

// claimSet is the body of a token.
type claimSet map[string]any

// at follows dots into objects.
func (c claimSet) at(path string) any {
	if path == "" {
		return nil
	}
	if v, ok := c[path]; ok {
		return v
	}
	var v any = map[string]any(c)
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

func (c claimSet) text(path string) string {
	s, _ := c.at(path).(string)
	return s
}

// name is a text that people read. Providers join first and last names, and a
// person who has neither is left with a blank: that is no name. Some wrap names
// in formatting characters of text direction; without these they are the same.
func (c claimSet) name(path string) string {
	text := bidi.Plain(c.text(path))
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }) {
		return text
	}
	return ""
}

func (c claimSet) texts(path string) []string {
	switch v := c.at(path).(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

func or(name, byDefault string) string {
	if name == "" {
		return byDefault
	}
	return name
}

// userID is the user that a source of people calls name. Prefixes of others that
// go on from this source's own could else be a part of the name.
func userID(prefix, name string, others []string) (string, error) {
	user := prefix + name
	for _, other := range others {
		if len(other) > len(prefix) && strings.HasPrefix(user, other) {
			return "", refused(fmt.Sprintf("the user would be called %.100q, as those of another issuer are, whose user_prefix is %.100q", user, other))
		}
	}
	return user, nil
}

// person is the caller that claims tell of, without a session. kinds are those that
// tokens of the issuer may name: one that names its kind is for that one alone.
func (m Claims) person(kinds Kinds, c claimSet, userPrefix string, others []string) (*Caller, error) {
	sub := c.text("sub")
	if sub == "" {
		return nil, refused("the token names no user: sub is missing")
	}
	own, err := c.own()
	if err != nil {
		return nil, err
	}
	user, err := userID(userPrefix, sub, others)
	if err != nil {
		return nil, err
	}
	if own.Kind != nil {
		if !kinds.Allow(*own.Kind) {
			return nil, refused(fmt.Sprintf("the token is for the kind %s; its issuer is for: %s", own.Kind, kinds))
		}
		kinds = Kinds{*own.Kind}
	}
	return &Caller{
		Name: "user:" + user,
		Owner: editlock.Owner{
			UserID: user, Login: c.name(or(m.Login, "preferred_username")), Name: c.name(or(m.Name, "name")), Host: own.Host,
			Kind: kinds.byDefault(), OnBehalfOf: c.name("editlock.on_behalf_of"),
		},
		Kinds: kinds, Groups: c.texts(or(m.Groups, "groups")), Grants: own.Grants, Rank: own.Rank,
	}, nil
}

// names reports whether what go-oidc verified of an ID token stands under the
// exact names: it reads claims in any letter case.
func (c claimSet) names(id *oidc.IDToken) bool {
	exp, _ := c.at("exp").(float64)
	return c.text("iss") == id.Issuer && c.text("sub") == id.Subject && c.text("nonce") == id.Nonce &&
		slices.Equal(c.texts("aud"), id.Audience) && int64(exp) == id.Expiry.Unix()
}

// own reads the claim editlock. A grant that makes no sense refuses the token:
// it could mean less than it says to us.
func (c claimSet) own() (ownClaim, error) {
	var own ownClaim
	v, ok := c["editlock"]
	if !ok {
		return own, nil
	}
	data, err := json.Marshal(v)
	if err == nil {
		err = strictjson.Unmarshal(data, &own)
	}
	for i := 0; err == nil && i < len(own.Grants); i++ {
		err = own.Grants[i].Validate()
	}
	if err != nil {
		return own, refused(fmt.Sprintf("the token's claim editlock can't be read: %v", err))
	}
	return own, nil
}

// settle gives a person the session of a realm and checks all that is known of
// the person.
func settle(caller *Caller, method Method, in realm, session string) (*Caller, error) {
	caller.Method, caller.Owner.Session = method, session
	if err := caller.Owner.Validate(); err != nil {
		what := map[Method]string{Certificate: "the client certificate's subject", OIDC: "the login's user"}[method]
		return nil, refused(or(what, "the token's owner") + " is not valid: " + err.Error())
	}
	if in != "" && madeHere(session) {
		return nil, refused("the token's session has the form of those that this server gives to logins and certificates")
	}
	caller.realm, caller.session, caller.Owner.Session = in, session, in.store(session)
	caller.Groups = slices.Compact(slices.Sorted(slices.Values(caller.Groups)))
	return caller, nil
}

// session is the session that a token names.
func (c claimSet) session() string {
	for _, name := range sessionClaims {
		if s := c.text(name); s != "" {
			return s
		}
	}
	return ""
}
