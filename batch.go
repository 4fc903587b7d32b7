package editlock

import "sync"

// batchWorkers bounds how much of one batch is under way at a time.
const batchWorkers = 64

// parallel calls f for all items and returns the results in their order. f
// returns at once when the caller has gone.
func parallel[T, R any](items []T, f func(T) R) []R {
	out := make([]R, len(items))
	var wg sync.WaitGroup
	slots := make(chan struct{}, batchWorkers)
	for i, item := range items {
		slots <- struct{}{}
		wg.Go(func() {
			out[i] = f(item)
			<-slots
		})
	}
	wg.Wait()
	return out
}
