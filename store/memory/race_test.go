//go:build race

package memory_test

// The race detector makes everything some times slower.
const race = true
