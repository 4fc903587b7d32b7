//go:build race

package core_test

// race: the detector makes simulations ten times slower.
const race = true
