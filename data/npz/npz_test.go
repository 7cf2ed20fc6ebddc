package npz

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() map[string]Array {
	return map[string]Array{
		"kpa":    Of([]float32{1.5, float32(math.Inf(1)), -3, 0, 5, 6}, 2, 3),
		"labels": Of([]uint8{0, 10, 255}),
		"mask":   Of([]bool{true, false}),
		"scalar": {Shape: []int{}, Data: []float32{7}},
		"steps":  Of([]int64{-1, 1 << 60}, 1, 2),
		"wide":   Of([]float64{math.Pi}),
		"empty":  Of([]float32{}, 0, 4),
	}
}

func TestArraysComeBackWithTheirShapes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := WriteFile(path, sample()); err != nil {
		t.Fatal(err)
	}
	f, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range sample() {
		got := f.arrays[name]
		if len(got.Shape) == 0 {
			got.Shape = []int{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, _, err := Get[uint8](f, "kpa"); !errors.Is(err, ErrDamaged) {
		t.Errorf("an array of another type: error %v", err)
	}
	if _, _, err := Get[uint8](f, "none"); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "none") {
		t.Errorf("a missing array: error %v", err)
	}
}

func TestEqualArraysGiveEqualBytes(t *testing.T) {
	var a, b bytes.Buffer
	if err := errors.Join(Write(&a, sample()), Write(&b, sample())); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two writings of the same arrays differ")
	}
}

// NumPy aligns the data to 64 bytes; version 1.0 headers end in a newline.
func TestHeaderIsNumPys(t *testing.T) {
	h := header("<f4", []int{2, 3})
	if len(h)%64 != 0 || h[len(h)-1] != '\n' || !bytes.Contains(h, []byte("'shape': (2, 3,)")) {
		t.Errorf("header %q of %d bytes", h, len(h))
	}
}

func TestWrongArraysAreRefusedAndLeaveNoFile(t *testing.T) {
	dir := t.TempDir()
	for name, a := range map[string]Array{"short": Of([]float32{1, 2}, 3), "negative": Of([]float32{}, -1), "type": {Data: "text"}} {
		if err := WriteFile(filepath.Join(dir, "bad.npz"), map[string]Array{name: a}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s was left behind", left[0].Name())
	}
}

func FuzzRead(f *testing.F) {
	var whole bytes.Buffer
	if err := Write(&whole, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add(whole.Bytes()[:whole.Len()/2])
	f.Add(bytes.Replace(whole.Bytes(), []byte("(2, 3,)"), []byte("(9, 9,)"), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "f.npz")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if file, err := ReadFile(path); err == nil {
			for _, name := range file.Names() {
				a := file.arrays[name]
				if _, n := describe(a.Data); n > len(b)*2000 { // deflate's best ratio is about 1000
					t.Errorf("%d values from %d bytes", n, len(b))
				}
			}
		}
	})
}
