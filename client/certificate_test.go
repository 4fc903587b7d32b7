package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// selfSigned is the certificate of a client that a server trusts by itself.
func selfSigned(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestOwnerProved_LeavesTheOwnerToTheCertificate(t *testing.T) {
	cert := selfSigned(t, "robot")
	manager := editlock.NewManager(memory.New(nil), nil)
	quiet := slog.New(slog.DiscardHandler)
	h := httpapi.New(manager, &httpapi.Options{
		Authenticator: &auth.Chain{Certificates: &auth.Certificates{User: "cn"}}, Logger: quiet,
		Access: access.New(access.Policy{Rules: []access.Rule{{Everyone: true, Grant: everything[0]}}}, access.Limits{}, quiet),
	})
	server := httptest.NewUnstartedServer(h)
	trusted := x509.NewCertPool()
	trusted.AddCert(cert.Leaf)
	server.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: trusted}
	server.StartTLS()
	t.Cleanup(func() {
		h.Drain()
		server.Close()
		_ = manager.Close()
	})
	dial := func(o client.Options) *client.Client {
		o.HTTPClient = server.Client()
		o.HTTPClient.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{cert}
		c, err := client.New(server.URL, &o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}

	c := dial(client.Options{OwnerProved: true})
	m, err := c.Capture(patient(t), doc, nil)
	if err != nil || m.Owner.Login != "robot" {
		t.Fatalf("held by %+v, %v", m.Owner, err)
	}
	if r, err := c.Refresh(patient(t), []editlock.RefreshItem{{ID: doc, Token: m.Token}}); err != nil || r[0].Err != nil {
		t.Errorf("refresh: %v, %v", r, err)
	}
	if _, err := c.Capture(as(t, petrova), editlock.ID{ID: "other"}, nil); !errors.Is(err, editlock.ErrForbidden) {
		t.Errorf("in another's name: %v", err)
	}
	if done, err := c.Release(patient(t), doc, editlock.Condition{}); err != nil || !done {
		t.Errorf("release: %v, %v", done, err)
	}
	if _, err := dial(client.Options{}).Capture(patient(t), doc, nil); !errors.Is(err, editlock.ErrForbidden) {
		t.Errorf("as the console's owner: %v", err)
	}
}
