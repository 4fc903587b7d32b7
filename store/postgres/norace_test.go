//go:build !race

package postgres_test

const race = false
