package dicom

import (
	"bytes"
	"runtime"
	"testing"
)

// maxFuzzPixels keeps the frames that the fuzzer decodes small, so that it tries
// many files; the limit itself is tested by the bomb of read_test.go.
const maxFuzzPixels = 1 << 18

// FuzzRead opens hostile files and decodes what they claim to hold: an error is
// fine, a panic, a hang or a gigabyte is not.
func FuzzRead(f *testing.F) {
	for _, kind := range everyKind() {
		f.Add(kind.bytes())
	}
	f.Add(baselineFile(f).bytes())
	f.Add(linePalette().bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		im, err := New("fuzz", bytes.NewReader(b), int64(len(b)))
		if err == nil {
			im.Deidentify(testKey)
			for i := range min(im.Frames, 3) {
				if im.Height*im.Width > maxFuzzPixels {
					break
				}
				if frame, err := im.Frame(i); err == nil && len(frame.Pix) != im.Height*im.Width*im.Channels {
					t.Fatalf("%d bytes of pixels for %d x %d x %d", len(frame.Pix), im.Width, im.Height, im.Channels)
				}
			}
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
			t.Fatalf("a file of %d bytes made the reader allocate %d", len(b), took)
		}
	})
}
