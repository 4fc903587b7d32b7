//go:build race

package postgres_test

// The race detector makes everything some times slower.
const race = true
