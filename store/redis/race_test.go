//go:build race

package redis_test

// The race detector makes everything some times slower.
const race = true
