// Package js holds the browser client as it is sent to browsers, for Go
// programs that serve it themselves.
package js

import (
	"embed"
	"io/fs"
)

//go:embed dist/editlock.js dist/element.js
var dist embed.FS

// Files returns editlock.js, the client, and element.js, the <edit-lock>
// element, which imports it from beside itself. Both are ES modules.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}
