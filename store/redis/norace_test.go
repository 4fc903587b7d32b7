//go:build !race

package redis_test

const race = false
