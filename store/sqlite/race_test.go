//go:build race

package sqlite_test

// The race detector makes SQLite, which is translated from C, some ten times
// slower and has nothing to find in it.
const race = true
