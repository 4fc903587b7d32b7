package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/server/auth"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.cert, a.key = sign(t, nil, &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func sign(t *testing.T, by *authority, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) server(t *testing.T, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	return sign(t, a, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func install(t *testing.T, f *config.Config, cert *x509.Certificate, key *ecdsa.PrivateKey) {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, f.TLSKey, "EC PRIVATE KEY", der)
	writePEM(t, f.TLSCert, "CERTIFICATE", cert.Raw)
}

func TestTLS(t *testing.T) {
	ca, dir := newAuthority(t), t.TempDir()
	f := &config.Config{Settings: config.Settings{TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem")}}
	writePEM(t, f.ClientCA, "CERTIFICATE", ca.cert.Raw)
	cert, key := ca.server(t, "first")
	install(t, f, cert, key)
	config, err := newTLS(f, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	chain := &auth.Chain{Certificates: &auth.Certificates{User: "email"}}
	srv := &http.Server{TLSConfig: config, ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := chain.Authenticate(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, c.Owner.UserID, " ", c.Groups, " ", c.Ambient)
	}), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn)}
	go func() { _ = srv.ServeTLS(patientListener{ln}, "", "") }()
	t.Cleanup(func() { _ = srv.Close() })

	type answer struct {
		status, proto int
		server        string // the name in its certificate
	}
	call := func(certs ...tls.Certificate) (answer, string, error) {
		roots := x509.NewCertPool()
		roots.AddCert(ca.cert)
		transport := &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certs}, ForceAttemptHTTP2: true,
		}
		defer transport.CloseIdleConnections()
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://"+ln.Addr().String(), nil)
		res, err := transport.RoundTrip(r)
		if err != nil {
			return answer{}, "", err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return answer{res.StatusCode, res.ProtoMajor, res.TLS.PeerCertificates[0].Subject.CommonName}, string(body), err
	}
	shown := func() string {
		res, _, err := call()
		if err != nil {
			t.Fatal(err)
		}
		return res.server
	}

	t.Run("HTTP/2, and a certificate is asked for but not needed", func(t *testing.T) {
		res, _, err := call()
		if err != nil || res.proto != 2 || res.status != 401 {
			t.Errorf("got %v %v", res, err)
		}
	})
	person := func(by *authority, template x509.Certificate) tls.Certificate {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		cert, key := sign(t, by, &template)
		return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
	}
	named := x509.Certificate{Subject: pkix.Name{CommonName: "Robot", OrganizationalUnit: []string{"editors"}}, EmailAddresses: []string{"robot@example.org"}}
	t.Run("a client certificate is the owner", func(t *testing.T) {
		res, body, err := call(person(ca, named))
		if err != nil || res.status != 200 || body != "robot@example.org [editors] true" {
			t.Errorf("got %q %v", body, err)
		}
	})
	t.Run("one without the part that names the user is nobody", func(t *testing.T) {
		if res, _, err := call(person(ca, x509.Certificate{Subject: pkix.Name{CommonName: "robot@example.org"}})); err != nil || res.status != 401 {
			t.Errorf("got %v %v", res, err)
		}
	})
	t.Run("one of another authority is refused", func(t *testing.T) {
		if res, body, err := call(person(newAuthority(t), named)); err == nil && res.status == 200 {
			t.Errorf("got %q", body)
		}
	})
	t.Run("a renewed certificate is taken without a restart, a bad one is not", func(t *testing.T) {
		cert, key := ca.server(t, "second")
		install(t, f, cert, key)
		for end := time.Now().Add(20 * time.Second); shown() != "second"; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the old one stays")
			}
		}
		writePEM(t, f.TLSCert, "CERTIFICATE", []byte("rubbish"))
		time.Sleep(lookEvery + 100*time.Millisecond) // nothing must happen
		if got := shown(); got != "second" {
			t.Errorf("shows %s", got)
		}
	})
}

// stubborn is a connection that accepts some bytes, and no more.
type stubborn struct {
	net.Conn
	accepts, deadlines int
}

func (s *stubborn) SetWriteDeadline(at time.Time) error {
	if time.Until(at) <= writeWithin {
		s.deadlines++
	}
	return nil
}

func (s *stubborn) Write(b []byte) (int, error) {
	n := min(len(b), s.accepts)
	if s.accepts -= n; n < len(b) {
		return n, os.ErrDeadlineExceeded
	}
	return n, nil
}

func TestPatientConn(t *testing.T) {
	t.Run("gives each piece its own time", func(t *testing.T) {
		s := &stubborn{accepts: 1 << 20}
		if n, err := (patientConn{s}).Write(make([]byte, 3*piece+1)); n != 3*piece+1 || err != nil || s.deadlines != 4 {
			t.Errorf("wrote %d with %d deadlines, %v", n, s.deadlines, err)
		}
	})
	t.Run("tells how much went out before who reads stopped", func(t *testing.T) {
		s := &stubborn{accepts: piece + 7}
		if n, err := (patientConn{s}).Write(make([]byte, 3*piece)); n != piece+7 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d, %v", n, err)
		}
	})
}
