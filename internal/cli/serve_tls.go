package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/editlock/editlock/internal/config"
)

// tlsFiles is a server's certificate, which is read again when its files have
// changed: a renewed certificate needs no restart.
type tlsFiles struct {
	cert, key, ca string // ca may be empty
	log           *slog.Logger

	mu     sync.Mutex
	looked time.Time
	state  []fileState
	config *tls.Config
}

type fileState struct {
	size int64
	at   time.Time
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

// newTLS reads the files once, so that a start with bad ones fails.
func newTLS(conf *config.Config, log *slog.Logger) (*tls.Config, error) {
	t := &tlsFiles{cert: conf.TLSCert, key: conf.TLSKey, ca: conf.ClientCA, log: log}
	state, err := t.look()
	if err != nil {
		return nil, err
	}
	if t.config, err = t.load(); err != nil {
		return nil, err
	}
	t.state, t.looked = state, time.Now()
	outer := t.config.Clone()
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return t.current(), nil }
	return outer, nil
}

// current returns the configuration for a handshake.
func (t *tlsFiles) current() *tls.Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Sub(t.looked) < lookEvery {
		return t.config
	}
	t.looked = now
	state, err := t.look()
	if err == nil && slices.Equal(state, t.state) {
		return t.config
	}
	var config *tls.Config
	if err == nil {
		config, err = t.load()
	}
	if err != nil {
		t.log.Error("the new certificate can't be used; the one before stays in force", "err", err)
		return t.config
	}
	t.log.Info("the certificate was read again", "file", t.cert)
	t.config, t.state = config, state
	return t.config
}

func (t *tlsFiles) look() ([]fileState, error) {
	var out []fileState
	for _, name := range []string{t.cert, t.key, t.ca} {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, withoutOp(err)
		}
		out = append(out, fileState{info.Size(), info.ModTime()})
	}
	return out, nil
}

func withoutOp(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

func (t *tlsFiles) load() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(t.cert, t.key)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", t.cert, t.key, err)
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"},
	}
	if t.ca == "" {
		return config, nil
	}
	data, err := os.ReadFile(t.ca)
	if err != nil {
		return nil, withoutOp(err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s: there is no certificate in it", t.ca)
	}
	// Who has none may have another proof.
	config.ClientAuth = tls.VerifyClientCertIfGiven
	return config, nil
}

// writeWithin is how long a client may take to accept a piece of an answer.
const writeWithin = 30 * time.Second

// patientListener gives connections up whose other end accepts nothing, so
// that who does not read, or is gone without a word, keeps no memory.
type patientListener struct{ net.Listener }

func (l patientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return patientConn{c}, nil
}

type patientConn struct{ net.Conn }

// CloseWrite lets the server end what it sends before it closes: closed with
// something unread, as after a refusal, a connection is reset, and the answer
// may be lost.
func (c patientConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// piece is what must get away within the time.
const piece = 64 << 10

// Write implements net.Conn.
func (c patientConn) Write(b []byte) (n int, err error) {
	for {
		_ = c.SetWriteDeadline(time.Now().Add(writeWithin))
		wrote, err := c.Conn.Write(b[n:min(n+piece, len(b))])
		n += wrote
		if err != nil || n == len(b) {
			return n, err
		}
	}
}
