package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/editlock/editlock/internal/wire/strictjson"
)

// KeysFile is the API keys of a file. The file is read again within a second
// of its change, so that a revoked key is refused without a restart.
type KeysFile struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	keys    map[string]*knownKey
	looked  time.Time // when the file was looked at
	gone    time.Time // since when it is not there; zero: it is
	version version   // of what was read
}

// knownKey is a key as it stands in the file.
type knownKey struct {
	Key
	ended chan struct{} // closed when it is another there, or none
}

// version tells one state of a file from another.
type version struct {
	size int64
	at   time.Time
}

const lookEvery = time.Second

// OpenKeys reads a keys file, which must be there. log hears of changes to it
// that can't be read: the keys before it then stay in force.
func OpenKeys(path string, log *slog.Logger) (*KeysFile, error) {
	f := &KeysFile{path: path, log: log, looked: time.Now()}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return f, f.read(info)
}

func (f *KeysFile) read(info fs.FileInfo) error {
	list, err := ReadKeys(f.path)
	if err != nil {
		return err
	}
	keys := make(map[string]*knownKey, len(list))
	for _, k := range list {
		if keys[k.ID] = f.keys[k.ID]; keys[k.ID] == nil || !reflect.DeepEqual(keys[k.ID].Key, k) {
			keys[k.ID] = &knownKey{k, make(chan struct{})}
		}
	}
	f.put(keys)
	f.version = versionOf(info)
	return nil
}

// put has other keys in force, and ends what those do that are not among them.
func (f *KeysFile) put(keys map[string]*knownKey) {
	for id, k := range f.keys {
		if keys[id] != k {
			close(k.ended)
		}
	}
	f.keys = keys
}

func versionOf(info fs.FileInfo) version { return version{info.Size(), info.ModTime()} }

// find returns the key of an ID. One that is not known may be new, so the file
// is looked at for it at once.
func (f *KeysFile) find(id string) *knownKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) > lookEvery || f.keys[id] == nil {
		f.reread()
	}
	if !f.gone.IsZero() {
		return nil
	}
	return f.keys[id]
}

// Follow looks at the file every second until ctx ends, so that an event
// stream ends with its key though nobody calls. See [Caller.Ended].
func (f *KeysFile) Follow(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.mu.Lock()
			f.reread()
			f.mu.Unlock()
		}
	}
}

// reread reads the file if it has changed. The caller holds mu.
func (f *KeysFile) reread() {
	f.looked = time.Now()
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		switch {
		case f.gone.IsZero():
			f.gone = f.looked
			f.log.Warn("the keys file is gone; no API key is valid", "file", f.path)
		case time.Since(f.gone) > lookEvery:
			// Not just being written: who rewrites a file may take it away first.
			f.put(nil)
			f.version = version{}
		}
		return
	case err == nil && versionOf(info) == f.version:
		f.gone = time.Time{}
		return
	case err == nil:
		err = f.read(info)
	}
	f.gone = time.Time{}
	if err != nil {
		f.log.Error("the keys file can't be read; the keys read before stay in force", "file", f.path, "err", err)
	}
}

// authenticate finds the caller of a key.
func (f *KeysFile) authenticate(secret string) (*Caller, error) {
	k := f.find(keyID(secret))
	now := time.Now()
	switch {
	case k == nil || !k.matches(secret):
		return nil, refused("the API key is not known")
	case k.Revoked != nil:
		return nil, refused("the API key is revoked")
	case k.Expires != nil && !now.Before(*k.Expires):
		return nil, refused("the API key has expired")
	}
	c := k.caller()
	c.Ended = k.ended
	return c, nil
}

// keysForm is the form of the file.
type keysForm struct {
	Keys []Key `json:"keys"`
}

// ReadKeys reads a keys file.
func ReadKeys(path string) ([]Key, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var form keysForm
	if err := strictjson.Unmarshal(data, &form); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	ids := make(map[string]bool, len(form.Keys))
	for _, k := range form.Keys {
		if ids[k.ID] {
			return nil, fmt.Errorf("%s: two keys have the ID %q", path, k.ID)
		}
		ids[k.ID] = true
		for _, g := range k.Grants {
			if err := g.Validate(); err != nil {
				return nil, fmt.Errorf("%s: key %s: %w", path, k.ID, err)
			}
		}
	}
	return form.Keys, nil
}

// ChangeKeys changes a keys file, which is made if it is not there. The file
// is replaced as a whole: a reader sees it as it was or as it is. Two changes
// at the same time: one of them is refused.
func ChangeKeys(path string, change func([]Key) ([]Key, error)) error {
	lock := path + ".lock"
	held, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is being changed by another program; if none is running, remove %s", path, lock)
	}
	if err != nil {
		return err
	}
	defer func() {
		_ = held.Close()
		_ = os.Remove(lock)
	}()
	keys, err := ReadKeys(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if keys, err = change(keys); err != nil {
		return err
	}
	data, err := json.MarshalIndent(keysForm{keys}, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(data, '\n'))
}

// replaceFile writes a file beside and puts it in place. Owner and rights of
// the old one stay, as far as the system lets them.
func replaceFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if old, err := os.Stat(path); err == nil {
		keepOwner(tmp, old)
		_ = tmp.Chmod(old.Mode().Perm())
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
