package etcd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/etcd"
)

// admin is a plain client of etcd.
func admin(t *testing.T, host string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + host}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// exercise takes one step of each kind.
func exercise(t *testing.T, st store.Store) {
	t.Helper()
	ctx := t.Context()
	if _, err := st.KeepAlive(ctx, "peer", time.Minute); err != nil {
		t.Error(err)
	}
	for _, sw := range []store.Op{take("a", "ann", store.Terms{Idle: time.Minute}), drop("a", "ann")} {
		if res, err := st.Commit(ctx, store.Txn{ID: fmt.Sprint("r", sw.Do), Ops: []store.Op{sw}}); err != nil || !res.Done {
			t.Errorf("Swap: %+v, %v", res, err)
		}
	}
	many := make([]store.Op, 100) // packed
	for i := range many {
		many[i] = take(fmt.Sprint("n", i), "ann", store.Terms{})
	}
	if res, err := st.Commit(ctx, store.Txn{Ops: many}); err != nil || !res.Done {
		t.Errorf("Swap of many: %v, %v", res.Done, err)
	}
	if _, err := st.Get(ctx, "a", ""); err != nil {
		t.Error(err)
	}
	if page, err := st.List(ctx, store.RecordQuery{Session: "ann"}); err != nil || len(page.Records) != 100 {
		t.Errorf("List: %d records, %v", len(page.Records), err)
	}
	if page, err := st.Log(ctx, store.LogQuery{}); err != nil || len(page.Entries) != 100 {
		t.Errorf("Log: %d entries, %v", len(page.Entries), err)
	}
	if _, err := st.Sweep(ctx, store.Retention{MaxEntries: 1}); err != nil {
		t.Error(err)
	}
}

func TestOpen_AsUserOfOnePrefix(t *testing.T) {
	s := enginetest.StartOwnEtcd(t)
	c, ctx := admin(t, s.Host), t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.UserAdd(ctx, "root", "rootpass"))
	must(c.UserGrantRole(ctx, "root", "root"))
	must(c.UserAdd(ctx, "locks", "se:cret"))
	must(c.RoleAdd(ctx, "locks"))
	must(c.RoleGrantPermission(ctx, "locks", "/mine/", clientv3.GetPrefixRangeEnd("/mine/"), clientv3.PermissionType(clientv3.PermReadWrite)))
	must(c.UserGrantRole(ctx, "locks", "locks"))
	must(c.AuthEnable(ctx))

	st, err := etcd.Open(ctx, "etcd://locks:se%3Acret@"+s.Host+"/mine", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	sub := st.Subscribe("peer")
	defer sub.Close()
	exercise(t, st)
	second, err := etcd.Open(ctx, "etcd://locks:se%3Acret@"+s.Host+"/mine", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	if view, err := second.Get(ctx, "n1", ""); err != nil || view.Record == nil {
		t.Errorf("the second store: %+v, %v", view, err)
	}
	for _, bad := range []struct{ name, url, want string }{
		{"a wrong password", "etcd://locks:secrets@" + s.Host + "/mine", "the user or password was refused"},
		{"another prefix", "etcd://locks:se%3Acret@" + s.Host + "/others", "may not read and write all keys"},
		{"no user", "etcd://" + s.Host + "/mine", "a user and password are needed"},
	} {
		t.Run("refused with "+bad.name, func(t *testing.T) {
			_, err := etcd.Open(ctx, bad.url, nil)
			if err == nil || !strings.Contains(err.Error(), bad.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v; want %q", err, bad.want)
			}
		})
	}
}

func TestOpen_Refuses(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	c := admin(t, s.Host)
	t.Run("a store of a newer editlock, and leaves it alone", func(t *testing.T) {
		url := s.url()
		key := strings.TrimPrefix(url, "etcd://"+s.Host) + "/head"
		if _, err := c.Put(t.Context(), key, `{"version":3}`); err != nil {
			t.Fatal(err)
		}
		_, err := etcd.Open(t.Context(), url, nil)
		if err == nil || !strings.Contains(err.Error(), "use a newer editlock") {
			t.Errorf("%v", err)
		}
		if got, err := c.Get(t.Context(), key); err != nil || string(got.Kvs[0].Value) != `{"version":3}` {
			t.Errorf("the head is %v, %v", got, err)
		}
	})
	t.Run("a store of an older editlock, with a way on", func(t *testing.T) {
		url := s.url()
		key := strings.TrimPrefix(url, "etcd://"+s.Host) + "/head"
		if _, err := c.Put(t.Context(), key, `{"version":1,"seq":5,"process":"p"}`); err != nil {
			t.Fatal(err)
		}
		_, err := etcd.Open(t.Context(), url, nil)
		_, examined := etcd.Inspect(t.Context(), url)
		for _, err := range []error{err, examined} {
			if err == nil || !strings.Contains(err.Error(), "another prefix") || !strings.Contains(err.Error(), "history --json") {
				t.Errorf("%v", err)
			}
		}
		if got, err := c.Get(t.Context(), key); err != nil || got.Kvs[0].Version != 1 {
			t.Errorf("the head is %v, %v", got, err)
		}
	})
	t.Run("a server that is not there", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		host := enginetest.Address(enginetest.FreePort(t))
		_, err := etcd.Open(ctx, "etcd://"+host, nil)
		if err == nil || !strings.Contains(err.Error(), "no answer from http://"+host) {
			t.Errorf("%v", err)
		}
	})
}

// certificates makes an authority and a certificate for both sides.
func certificates(t *testing.T) (ca, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = write("cert.pem", "CERTIFICATE", der)
	return cert, cert, write("key.pem", "EC PRIVATE KEY", secret)
}

func TestOpen_OverTLS(t *testing.T) {
	ca, cert, key := certificates(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	text, _ := os.ReadFile(ca)
	roots.AppendCertsFromPEM(text)
	s := enginetest.StartTLSEtcd(t, ca, cert, key, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}})
	st, err := etcd.Open(t.Context(), "etcd://"+s.Host+"/x?ca="+ca+"&cert="+cert+"&key="+key, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	exercise(t, st)
	for _, bad := range []string{"?tls=true", "?ca=" + ca, ""} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if _, err := etcd.Open(ctx, "etcd://"+s.Host+"/x"+bad, nil); err == nil {
			t.Errorf("opened with %q", bad)
		}
		cancel()
	}
}
