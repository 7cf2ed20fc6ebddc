package jpegll

import (
	"errors"
	"slices"
	"testing"

	"elastography/data/dicom/dicomtest"
	"pgregory.net/rapid"
)

// draw makes a picture that wanders, with jumps over the whole range.
func draw(t *rapid.T, n, precision int) []uint16 {
	out := make([]uint16, n)
	v := 0
	for i := range out {
		if rapid.IntRange(0, 9).Draw(t, "jump") == 0 {
			v = rapid.IntRange(0, 1<<precision-1).Draw(t, "value")
		}
		v = min(max(v+rapid.IntRange(-3, 3).Draw(t, "step"), 0), 1<<precision-1)
		out[i] = uint16(v)
	}
	return out
}

// TestEveryLosslessCodingComesBack: all selection values, precisions, restart
// intervals, scans together or apart.
func TestEveryLosslessCodingComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := dicomtest.Lossless{
			Height:       rapid.IntRange(1, 9).Draw(t, "height"),
			Width:        rapid.IntRange(1, 9).Draw(t, "width"),
			Components:   rapid.SampledFrom([]int{1, 3}).Draw(t, "components"),
			Precision:    rapid.IntRange(2, 16).Draw(t, "precision"),
			Selection:    rapid.IntRange(1, 7).Draw(t, "selection"),
			RestartLines: rapid.IntRange(0, 3).Draw(t, "restart"),
			Separate:     rapid.Bool().Draw(t, "separate"),
		}
		o.Point = uint(rapid.IntRange(0, o.Precision-1).Draw(t, "point"))
		want := draw(t, o.Height*o.Width*o.Components, o.Precision)
		p, err := Decode(dicomtest.JPEGLossless(want, o), o.Height*o.Width)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i] = want[i] >> o.Point << o.Point
		}
		if p.Height != o.Height || p.Width != o.Width || p.Components != o.Components || p.Precision != o.Precision || !slices.Equal(p.Samples, want) {
			t.Fatalf("%d x %d x %d of %d bits: %v\nwant %v", p.Width, p.Height, p.Components, p.Precision, p.Samples, want)
		}
	})
}

var plain = dicomtest.Lossless{Height: 4, Width: 5, Components: 1, Precision: 8, Selection: 1}

func plainStream() []byte { return dicomtest.JPEGLossless(make([]uint16, 20), plain) }

// TestACutStreamIsNoPicture: wherever it is cut.
func TestACutStreamIsNoPicture(t *testing.T) {
	whole := plainStream()
	for n := range len(whole) - 3 { // the end marker alone may be missing
		if _, err := Decode(whole[:n], 20); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func TestHostileHeadersAreRefused(t *testing.T) {
	sof := slices.Index(plainStream(), 0xC3)
	for what, change := range map[string]func([]byte){
		"a picture larger than expected": func(b []byte) { b[sof+4] = 0xFF },
		"no height":                      func(b []byte) { b[sof+5] = 0 },
		"17 bits":                        func(b []byte) { b[sof+3] = 17 },
		"subsampling":                    func(b []byte) { b[sof+10] = 0 },
		"a lossy process":                func(b []byte) { b[sof] = 0xC0 },
		"a table that is not there":      func(b []byte) { b[slices.Index(b, 0xDA)+5] = 0x30 },
		"selection value 0":              func(b []byte) { b[slices.Index(b, 0xDA)+6] = 0 },
	} {
		b := plainStream()
		change(b)
		if _, err := Decode(b, 20); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	if _, err := Decode(plainStream(), 19); !errors.Is(err, ErrDamaged) {
		t.Errorf("more pixels than the caller allows: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for selection := 1; selection <= 7; selection++ {
		o := dicomtest.Lossless{Height: 6, Width: 7, Components: 1 + selection%2*2, Precision: 16, Selection: selection, RestartLines: selection % 3, Separate: selection%2 == 0}
		samples := make([]uint16, o.Height*o.Width*o.Components)
		for i := range samples {
			samples[i] = uint16(i * i * 37)
		}
		f.Add(dicomtest.JPEGLossless(samples, o))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b, 1<<16)
		if err == nil && (len(p.Samples) != p.Height*p.Width*p.Components || p.Height*p.Width > 1<<16) {
			t.Fatalf("%d samples for %d x %d x %d", len(p.Samples), p.Width, p.Height, p.Components)
		}
	})
}
