package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/internal/config"
)

// renewWithin is when a certificate should be renewed.
const renewWithin = 14 * 24 * time.Hour

// files looks at who may read the files of a server, and at its certificate.
func (d *doctor) files() []finding {
	var found []finding
	all := d.conf.Files()
	if d.storeFile != "" {
		all = append(all, config.NamedFile{Setting: "store_file", Path: d.storeFile, Kind: config.SecretFile})
	}
	for _, file := range all {
		found = append(found, d.file(file)...)
	}
	if d.conf.TLSCert != "" && d.conf.TLSKey != "" {
		found = append(found, d.certificate())
	}
	return found
}

// file looks at who may read or change a file. Of one that is public nothing is
// said as long as nobody else may change it.
func (d *doctor) file(file config.NamedFile) []finding {
	info, err := os.Stat(file.Path)
	one := func(status, text, advice string) []finding { return []finding{{file.Setting, status, text, advice}} }
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return one(failing, d.words.Text("doctor.file.none", file.Path), d.words.Text("doctor.file.none.do"))
	case err != nil:
		return one(failing, d.words.Error(err), "")
	case info.IsDir():
		return one(failing, d.words.Text("doctor.file.folder", file.Path), d.words.Text("doctor.file.none.do"))
	}
	mode := fs.FileMode(0)
	if keepsModes {
		mode = info.Mode().Perm()
	}
	open, advice := d.words.Text("doctor.file.open", file.Path, mode), d.words.Text("doctor.file.open.do", file.Path)
	if mode&0o002 != 0 || file.Kind == config.SecretFile && mode&0o007 != 0 { // who may change it, is believed
		return one(failing, open, advice)
	}
	if folder, mode := openFolder(file.Path); folder != "" {
		return one(failing, d.words.Text("doctor.file.replaced", file.Path, folder, mode), d.words.Text("doctor.file.replaced.do", folder))
	}
	switch {
	case file.Kind == config.PublicFile:
		return nil
	case mode&0o007 != 0:
		return one(warning, open, advice)
	}
	return one(fine, d.words.Text("doctor.file", file.Path), "")
}

// openFolder is a folder on the way to a file, or to what it is a link to, in which
// everybody may replace what is there; empty: there is none.
func openFolder(path string) (folder string, mode fs.FileMode) {
	at, err := filepath.Abs(path)
	if !keepsModes || err != nil {
		return "", 0
	}
	target, err := filepath.EvalSymlinks(at)
	if err != nil {
		target = at
	}
	for _, from := range []string{at, target} {
		for dir := filepath.Dir(from); ; dir = filepath.Dir(dir) {
			if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
				return dir, info.Mode().Perm()
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", 0
}

func (d *doctor) certificate() finding {
	pair, err := tls.LoadX509KeyPair(d.conf.TLSCert, d.conf.TLSKey)
	if err != nil {
		return finding{"tls_cert", failing, err.Error(), ""}
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return finding{"tls_cert", failing, err.Error(), ""}
	}
	return d.expiry("tls_cert", cert)
}

func (d *doctor) expiry(check string, cert *x509.Certificate) finding {
	end := cert.NotAfter.Format(time.DateOnly)
	switch left := time.Until(cert.NotAfter); {
	case left < 0:
		return finding{check, failing, d.words.Text("doctor.cert.over", end), d.words.Text("doctor.cert.do")}
	case left < renewWithin:
		return finding{check, warning, d.words.Text("doctor.cert", end), d.words.Text("doctor.cert.do")}
	}
	return finding{check, fine, d.words.Text("doctor.cert", end), ""}
}

// origins tells which sites' pages may call. To those of others the server
// looks as if it did not answer.
func (d *doctor) origins() []finding {
	if sites := d.conf.HTTP.Origins; len(sites) > 0 {
		return []finding{{"origins", fine, d.words.Text("doctor.origins", strings.Join(sites, ", ")), ""}}
	}
	return []finding{{"origins", fine, d.words.Text("doctor.origins.none"), ""}}
}

// port finds out who has the address that a server would listen on.
func (d *doctor) port(ctx context.Context) []finding {
	at := d.conf.Listen
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", at)
	if err == nil {
		_ = ln.Close()
		return []finding{{"port", fine, d.words.Text("doctor.port.free", at), ""}}
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return []finding{{"port", failing, err.Error(), d.words.Text("doctor.port.do")}}
	}
	host, port, _ := net.SplitHostPort(at)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	// Who answers is asked, and not trusted: the certificate has another name.
	who := asker(&tls.Config{InsecureSkipVerify: true})
	defer who.CloseIdleConnections()
	schemes := []string{"http://", "https://"} // it may run with other settings
	if d.conf.TLSCert != "" {
		slices.Reverse(schemes)
	}
	for _, scheme := range schemes {
		within, cancel := context.WithTimeout(ctx, checkWithin/3)
		title, err := openAPI(within, who, scheme+net.JoinHostPort(host, port))
		cancel()
		if err == nil {
			return []finding{{"port", fine, d.words.Text("doctor.port.own", at, title), ""}}
		}
	}
	return []finding{{"port", failing, d.words.Text("doctor.port.other", at), d.words.Text("doctor.port.do")}}
}

// asker asks one server, and not those that it names: a redirect is its answer.
func asker(trust *tls.Config) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// openAPI returns who answers at an address, by its description.
func openAPI(ctx context.Context, client *http.Client, base string) (title string, err error) {
	got, err := fetch(ctx, client, base+"/openapi.json")
	if err != nil {
		return "", err
	}
	var doc struct {
		Info struct{ Title, Version string }
	}
	if err := json.Unmarshal(got.body, &doc); err != nil || got.code != http.StatusOK || doc.Info.Title != "editlock" {
		return "", errors.New("what answers is no editlock")
	}
	return "editlock, API " + doc.Info.Version, nil
}

// page is the answer to a request, as far as it is looked at.
type page struct {
	code   int
	status string
	header http.Header
	tls    *tls.ConnectionState
	body   []byte
}

// fetch reads a small page.
func fetch(ctx context.Context, client *http.Client, url string) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return page{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	return page{res.StatusCode, res.Status, res.Header, res.TLS, body}, err
}

// server looks at a server that is in --store.
func (d *doctor) server(ctx context.Context) []finding {
	d.store = d.conf.Store
	c, err := client.New(d.store, nil)
	if err != nil {
		return []finding{{"server", failing, d.wrongURL(err), ""}}
	}
	_ = c.Close()
	base := strings.TrimRight(d.conf.Store, "/")
	who := asker(nil)
	defer who.CloseIdleConnections()
	began := time.Now()
	got, err := fetch(ctx, who, base+"/healthz")
	if err != nil {
		return []finding{{"server", failing, d.words.Error(fmt.Errorf("%w: %w", editlock.ErrUnavailable, err)), d.words.Text("doctor.server.do")}}
	}
	took := time.Since(began)
	title, err := openAPI(ctx, who, base)
	if err != nil || got.code != http.StatusOK {
		return []finding{{"server", failing, d.words.Text("doctor.server.other", base), d.words.Text("doctor.server.do")}}
	}
	found := []finding{{"server", fine, d.words.Text("doctor.server", base, title, took.Round(10*time.Microsecond)), ""}}
	if got.tls != nil && len(got.tls.PeerCertificates) > 0 {
		found = append(found, d.expiry("tls_cert", got.tls.PeerCertificates[0]))
	}
	found = append(found, d.ready(ctx, who, base), d.serverClock(got.header, began.Add(took/2)))
	if file := d.credentialPath(); file != "" {
		found = append(found, d.file(config.NamedFile{Setting: "credential", Path: file, Kind: config.SecretFile})...)
	}
	return append(found, d.caller(ctx))
}

func (d *doctor) ready(ctx context.Context, who *http.Client, base string) finding {
	got, err := fetch(ctx, who, base+"/readyz")
	if err == nil && got.code == http.StatusOK {
		return finding{"ready", fine, d.words.Text("doctor.ready"), ""}
	}
	if err != nil {
		return finding{"ready", failing, err.Error(), d.words.Text("doctor.ready.do")}
	}
	var problem struct{ Detail string }
	_ = json.Unmarshal(got.body, &problem) // without it the status is all there is
	return finding{"ready", failing, d.words.Text("doctor.ready.not", got.status, problem.Detail), d.words.Text("doctor.ready.do")}
}

// serverClock compares clocks by the answer's date, which has whole seconds.
func (d *doctor) serverClock(header http.Header, at time.Time) finding {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return finding{"clock", warning, d.words.Text("doctor.clock.none"), ""}
	}
	skew := date.Add(time.Second / 2).Sub(at)
	if skew.Abs() > skewFrom+time.Second/2 {
		return finding{"clock", warning, d.words.Text("doctor.clock.skew", skew.Round(time.Second)), d.words.Text("doctor.clock.skew.do")}
	}
	return finding{"clock", fine, d.words.Text("doctor.clock", skew.Round(time.Second)), ""}
}

// caller finds out whether the server knows the caller.
func (d *doctor) caller(ctx context.Context) finding {
	err := d.withLocker(ctx, func(ctx context.Context, locks editlock.Locker) error {
		_, err := locks.List(ctx, editlock.Query{Limit: 1})
		return err
	})
	switch {
	case err == nil:
		return finding{"caller", fine, d.words.Text("doctor.caller"), ""}
	case errors.Is(err, editlock.ErrForbidden):
		return finding{"caller", warning, d.words.Error(err), d.words.Text("doctor.caller.forbidden.do")}
	case errors.Is(err, editlock.ErrUnauthenticated):
		return finding{"caller", failing, d.words.Error(err), d.words.Text("doctor.caller.do")}
	case errors.Is(err, fs.ErrNotExist):
		return finding{"caller", failing, d.words.Error(err), d.words.Text("doctor.file.none.do")}
	}
	return finding{"caller", failing, d.words.Error(err), d.words.Text("doctor.server.do")}
}
