// Package endtoend tests the built server as a user meets it: as a process,
// over HTTP, on a database file, and killed without warning.
package endtoend
