package connect_test

import (
	"errors"
	"testing"

	"github.com/editlock/editlock/connect"
)

func TestFile(t *testing.T) {
	if path, err := connect.File("sqlite:///var/lib/locks.db"); err != nil || path != "/var/lib/locks.db" {
		t.Errorf("%s, %v", path, err)
	}
	for _, url := range []string{"memory:", "postgres://db/locks", "http://server", "sqlite:"} {
		if path, err := connect.File(url); err == nil {
			t.Errorf("%s is the file %s", url, path)
		}
	}
	if _, err := connect.File("redis://db"); !errors.Is(err, connect.ErrOtherTool) {
		t.Error(err)
	}
}
