package intake

import (
	"fmt"
	"slices"
	"testing"

	"elastography/data/archive"
)

// BenchmarkImport reads mixed exports, by one worker and by one a core.
func BenchmarkImport(b *testing.B) {
	const n = 20
	dir := b.TempDir()
	mixed(b, dir, n)
	rule, err := ParsePatientRule("folder")
	if err != nil {
		b.Fatal(err)
	}
	list, err := List([]string{dir}, rule)
	if err != nil {
		b.Fatal(err)
	}
	for _, workers := range []int{1, 0} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			for range b.N {
				im := newImporter(b)
				if _, err := archive.Run(b.Context(), slices.Values(im.Rows(list.Items, defaults)), archive.Options{Folders: im.Folders(), Workers: workers}, im.Work()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "files/s")
		})
	}
}
