package auth

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
)

// An issuer without a prefix can't name users as another issuer's are called.
func TestUsers_OfOneIssuerAreNeverCalledAsAnothers(t *testing.T) {
	others := []string{"", "wiki:", "wiki:old:", "certificate:"}
	for _, test := range []struct {
		prefix, name string
		taken        bool
	}{
		{"", "olga", true},
		{"", "wiki:olga", false},
		{"", "certificate:robot", false},
		{"", "wiki", true},
		{"wiki:", "olga", true},
		{"wiki:", "old:olga", false},
		{"wiki:old:", "olga", true},
		{"hr:", "wiki:olga", true},
	} {
		_, err := Claims{}.person(nil, claimSet{"sub": test.name}, test.prefix, others)
		if (err == nil) != test.taken {
			t.Errorf("%q of the issuer with %q: %v", test.name, test.prefix, err)
		}
		c := &Certificates{User: "cn", UserPrefix: test.prefix, OtherPrefixes: others}
		if _, err := c.authenticate(&x509.Certificate{Subject: pkix.Name{CommonName: test.name}}); (err == nil) != test.taken {
			t.Errorf("the certificate of %q, with %q: %v", test.name, test.prefix, err)
		}
	}
}

// A name that turns the text around it is refused, and the error says whose.
func TestCertificates_WithNamesThatTurnText(t *testing.T) {
	for _, bad := range []string{"ro\u202ebot", "\u2066robot", "robot\x00", "  ", strings.Repeat("x", 300)} {
		for _, user := range []string{"cn", "email"} {
			c := &Certificates{User: user}
			_, err := c.authenticate(&x509.Certificate{Subject: pkix.Name{CommonName: bad}, EmailAddresses: []string{"robot@example.org"}})
			if err == nil || !strings.Contains(err.Error(), "the client certificate's subject is not valid: ") {
				t.Errorf("%.20q as %s: %v", bad, user, err)
			}
		}
	}
}
