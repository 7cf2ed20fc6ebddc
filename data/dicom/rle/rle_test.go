package rle

import (
	"bytes"
	"errors"
	"testing"

	"elastography/data/dicom/dicomtest"
	"pgregory.net/rapid"
)

func TestWhatIsCodedComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "size")
		planes := make([][]byte, rapid.IntRange(1, 6).Draw(t, "segments"))
		for i := range planes {
			for len(planes[i]) < n { // runs and noise
				run := rapid.IntRange(1, 200).Draw(t, "run")
				planes[i] = append(planes[i], bytes.Repeat([]byte{rapid.Byte().Draw(t, "value")}, run)...)
				planes[i] = append(planes[i], rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "noise")...)
			}
			planes[i] = planes[i][:n]
		}
		got, err := Decode(dicomtest.RLE(planes...), len(planes), n)
		if err != nil {
			t.Fatal(err)
		}
		for i := range planes {
			if !bytes.Equal(got[i], planes[i]) {
				t.Fatalf("segment %d: %v\nwant %v", i, got[i], planes[i])
			}
		}
	})
}

// TestByHand codes every kind of PackBits packet, from the text of the standard.
func TestByHand(t *testing.T) {
	b := append([]byte{1, 0, 0, 0, 64, 0, 0, 0}, make([]byte, 56)...)
	b = append(b, 2, 10, 11, 12 /* three as they are */, 0x80 /* nothing */, 0xFE, 7 /* 7 three times */, 0, 9)
	got, err := Decode(b, 1, 7)
	if want := []byte{10, 11, 12, 7, 7, 7, 9}; err != nil || !bytes.Equal(got[0], want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestDamageIsNamed(t *testing.T) {
	whole := dicomtest.RLE([]byte{1, 2, 3, 4}, []byte{5, 5, 5, 5})
	outside := bytes.Clone(whole)
	outside[8] = 0xFF // second segment's offset
	for what, c := range map[string]struct {
		b              []byte
		segments, size int
	}{
		"cut":                         {whole[:66], 2, 4},
		"no header":                   {whole[:63], 2, 4},
		"other segments":              {whole, 3, 4},
		"a segment outside":           {outside, 2, 4},
		"more pixels than data":       {whole, 2, 5},
		"a bomb":                      {whole, 2, 1 << 30},
		"no segment":                  {whole, 0, 4},
		"more segments than a header": {whole, 16, 4},
	} {
		if _, err := Decode(c.b, c.segments, c.size); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(dicomtest.RLE([]byte{1, 2, 3, 4}), uint8(1), uint16(4))
	f.Add(dicomtest.RLE(make([]byte, 300), bytes.Repeat([]byte{1, 2}, 150), []byte{9}), uint8(3), uint16(300))
	f.Fuzz(func(t *testing.T, b []byte, segments uint8, size uint16) {
		out, err := Decode(b, int(segments), int(size))
		if err != nil {
			return
		}
		for _, s := range out {
			if len(out) != int(segments) || len(s) != int(size) {
				t.Fatalf("%d segments of %d bytes; asked for %d of %d", len(out), len(s), segments, size)
			}
		}
	})
}
