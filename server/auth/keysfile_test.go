package auth

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Some programs take a file away before they write it again. Its keys are
// refused meanwhile; what was begun with them ends only if it stays away.
func TestKeysFile_GoneForAMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	k, secret := NewKey(Key{Name: "shop"})
	if err := ChangeKeys(path, func([]Key) ([]Key, error) { return []Key{k}, nil }); err != nil {
		t.Fatal(err)
	}
	f, err := OpenKeys(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.authenticate(secret)
	if err != nil {
		t.Fatal(err)
	}
	ended := func() bool {
		select {
		case <-c.Ended:
			return true
		default:
			return false
		}
	}
	if err := os.Rename(path, path+"~"); err != nil {
		t.Fatal(err)
	}
	_, _ = f.authenticate("elk_nosuch_00") // a stranger has the file looked at now
	if _, err := f.authenticate(secret); err == nil {
		t.Error("a key is taken while its file is not there")
	}
	data, err := os.ReadFile(path + "~")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	look := func() {
		f.mu.Lock()
		f.reread()
		f.mu.Unlock()
	}
	look()
	if _, err := f.authenticate(secret); err != nil || ended() {
		t.Fatalf("with the file there again: %v, ended %v", err, ended())
	}

	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	look()
	if ended() {
		t.Error("it ended at the first look")
	}
	f.gone = f.gone.Add(-2 * lookEvery) // as if found so then
	look()
	if !ended() {
		t.Error("what was begun goes on though the file stays away")
	}
	f.looked = time.Time{}
	if _, err := f.authenticate(secret); err == nil {
		t.Error("a key is taken though its file is gone")
	}
}
