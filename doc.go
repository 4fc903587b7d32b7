// Package editlock gives named mutexes human owners: "Ivanov is editing this
// since 12:04". A [Locker] captures, refreshes and releases them; a [Manager]
// is the Locker on a store, package client the one on a server.
package editlock
