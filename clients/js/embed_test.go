package js_test

import (
	"io/fs"
	"strings"
	"testing"

	"editlock/clients/js"
)

func TestFiles_AreTwoModulesOfWhichOneImportsTheOther(t *testing.T) {
	files := js.Files()
	if _, err := fs.Stat(files, "editlock.js"); err != nil {
		t.Error(err)
	}
	element, err := fs.ReadFile(files, "element.js")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(element), `from"./editlock.js"`) {
		t.Error("element.js does not import the client from beside itself")
	}
}
