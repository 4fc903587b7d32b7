// Package faults proves editlock under failure: two servers as processes on
// one store, a network that fails, engines and servers that are stopped and
// killed, and clients whose whole history is then judged.
package faults
