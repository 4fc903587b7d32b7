package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"

	"github.com/editlock/editlock"
)

// Certificates makes owners of client certificates, which TLS has verified.
type Certificates struct {
	// User is the part that names the user: cn, email, dns or uri. The first
	// of several counts.
	User       string
	UserPrefix string
	// OtherPrefixes and Kinds are as an Issuer's.
	OtherPrefixes []string
	Kinds         Kinds
}

// CertificateUsers are what Certificates.User may be.
var CertificateUsers = []string{"cn", "email", "dns", "uri"}

// authenticate makes a caller of a certificate: its session is the certificate
// itself, its groups are the organizational units.
func (c *Certificates) authenticate(cert *x509.Certificate) (*Caller, error) {
	var names []string
	switch c.User {
	case "cn":
		names = []string{cert.Subject.CommonName}
	case "email":
		names = cert.EmailAddresses
	case "dns":
		names = cert.DNSNames
	case "uri":
		for _, u := range cert.URIs {
			names = append(names, u.String())
		}
	}
	if len(names) == 0 || names[0] == "" {
		return nil, refused("the client certificate names no user: it has no " + c.User)
	}
	user, err := userID(c.UserPrefix, names[0], c.OtherPrefixes)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(cert.Raw)
	fingerprint := hex.EncodeToString(sum[:16])
	return settle(&Caller{
		Name: "certificate:" + fingerprint, Groups: cert.Subject.OrganizationalUnit, Ambient: true, Expires: cert.NotAfter,
		Owner: editlock.Owner{UserID: user, Login: names[0], Name: cert.Subject.CommonName, Kind: c.Kinds.byDefault()}, Kinds: c.Kinds,
	}, Certificate, "", certificateSession+fingerprint)
}
