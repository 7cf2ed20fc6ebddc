package scanner

import "sync"

// parallelRows splits [0, n) into contiguous bands and works on them side by side.
// Bands must not read what others write.
func parallelRows(n int, work func(lo, hi int)) {
	bands := min(workers(), n)
	if bands <= 1 {
		work(0, n)
		return
	}
	var wg sync.WaitGroup
	for b := range bands {
		wg.Go(func() { work(b*n/bands, (b+1)*n/bands) })
	}
	wg.Wait()
}
