package scan

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// npy is a NumPy file with this header text and these bytes of data.
func npy(descr, order, shape string, data []byte) []byte {
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }", descr, order, shape)
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	out := append([]byte("\x93NUMPY\x01\x00"), byte(len(text)), byte(len(text)>>8))
	return append(append(out, text...), data...)
}

// nifti is a NIfTI-1 file of 3 x 2 pixels (lateral x depth), type and data given.
func nifti(order binary.ByteOrder, kind int16, slope, inter float32, data []byte) []byte {
	h := make([]byte, 352)
	order.PutUint32(h, 348)
	for i, d := range []int16{3, 3, 2, 1, 1, 1, 1, 1} {
		order.PutUint16(h[40+2*i:], uint16(d))
	}
	order.PutUint16(h[70:], uint16(kind))
	for i, v := range []float32{1, 0.2, 0.1, 1} {
		order.PutUint32(h[76+4*i:], math.Float32bits(v))
	}
	order.PutUint32(h[108:], math.Float32bits(352))
	order.PutUint32(h[112:], math.Float32bits(slope))
	order.PutUint32(h[116:], math.Float32bits(inter))
	h[123] = 2 // mm
	copy(h[344:], "n+1\x00")
	return append(h, data...)
}

func zipped(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, data := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArraysOfOtherProgramsAreRead(t *testing.T) {
	floats := func(order binary.ByteOrder, v ...float64) []byte {
		b := make([]byte, 8*len(v))
		for i, x := range v {
			order.PutUint64(b[8*i:], math.Float64bits(x))
		}
		return b
	}
	plain := npy("|u1", "False", "2, 3", []byte{1, 2, 3, 4, 5, 6})
	want := &Array{Shape: []int{2, 3}, Values: []float32{1, 2, 3, 4, 5, 6}}
	scaled := &Array{Shape: []int{2, 3}, Values: []float32{7, 9, 11, 13, 15, 17}, DepthMMPerPx: 0.1, LateralMMPerPx: 0.2}
	halves := []byte{1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0}
	swapped := []byte{0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}
	for _, c := range []struct {
		name, array string
		file        []byte
		want        *Array
	}{
		{"bytes", "", plain, want},
		{"64-bit, big endian", "", npy(">f8", "False", "2, 3", floats(binary.BigEndian, 1, 2, 3, 4, 5, 6)), want},
		{"Fortran order", "", npy("<i2", "True", "2, 3", []byte{1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0}), want},
		{"signed", "", npy("|i1", "False", "2,", []byte{255, 128}), &Array{Shape: []int{2}, Values: []float32{-1, -128}}},
		{"one array of a zip", "", zipped(t, map[string][]byte{"swe.npy": plain}), want},
		{"a named array of a zip", "swe", zipped(t, map[string][]byte{"swe.npy": plain, "x.npy": npy("|b1", "False", "1,", []byte{1})}), want},
		{"NIfTI", "", nifti(binary.LittleEndian, 4, 2, 5, halves), scaled},
		{"NIfTI, big endian, gzip", "", gzipped(t, nifti(binary.BigEndian, 512, 2, 5, swapped)), scaled},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "array")
			if err := os.WriteFile(path, c.file, 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := ReadArray(path, c.array)
			if err != nil {
				t.Fatal(err)
			}
			near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })
			if diff := cmp.Diff(c.want, got, near); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDamagedAndHostileArraysAreRefusedInWords(t *testing.T) {
	for _, c := range []struct {
		name, says string
		file       []byte
	}{
		{"empty", "no NPY", nil},
		{"cut off", "before its 6 values", npy("|u1", "False", "2, 3", []byte{1, 2, 3})},
		{"a billion values", "holds more", npy("|u1", "False", "99999, 99999", nil)},
		{"more than a machine counts", "holds more", npy("|u1", "False", "9223372036854775807, 9223372036854775807", nil)},
		{"empty axis", "empty", npy("|u1", "False", "0, 3", nil)},
		{"text", "not supported", npy("<U5", "False", "2, 3", nil)},
		{"objects", "not supported", npy("|O", "False", "2, 3", nil)},
		{"half a zip", "no whole .npz", zipped(t, map[string][]byte{"a.npy": npy("|u1", "False", "1,", []byte{1})})[:40]},
		{"which array", "name one", zipped(t, map[string][]byte{"a.npy": nil, "b.npy": nil})},
		{"NIfTI of complex numbers", "data type 32", nifti(binary.LittleEndian, 32, 1, 0, nil)},
		{"NIfTI without data", "damaged", nifti(binary.LittleEndian, 2, 1, 0, nil)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readArray(bytes.NewReader(c.file), int64(len(c.file)), "")
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
		})
	}
}

func TestShapesBecomePlanes(t *testing.T) {
	a := &Array{Shape: []int{1, 2, 2, 2}, Values: []float32{1, 2, 3, 4, 5, 6, 7, 8}}
	planes, h, w, err := a.Planes()
	if err != nil || len(planes) != 2 || h != 2 || w != 2 || planes[1][0] != 5 {
		t.Errorf("%v %d %d %v", planes, h, w, err)
	}
	colour := &Array{Shape: []int{2, 1, 3}, Values: []float32{255, 255, 255, 0, 255, 0}}
	if planes, h, w, err = colour.Planes(); err != nil || h != 2 || w != 1 || math.Abs(float64(planes[0][1])-0.587*255) > 0.01 {
		t.Errorf("%v %d %d %v", planes, h, w, err)
	}
	if _, _, _, err := (&Array{Shape: []int{4}, Values: make([]float32, 4)}).Planes(); err == nil {
		t.Error("a line is no plane")
	}
}

// FuzzArray feeds bytes to the readers of NPY, NPZ and NIfTI. What they promise
// must not cost memory: a small file makes small arrays, but for what a
// compressed one really holds.
func FuzzArray(f *testing.F) {
	plain := npy("|u1", "False", "2, 3", []byte{1, 2, 3, 4, 5, 6})
	f.Add(plain, "")
	f.Add(npy(">f8", "True", "1, 2", make([]byte, 16)), "")
	f.Add(zipped(f, map[string][]byte{"a.npy": plain, "b.npy": plain}), "a")
	f.Add(nifti(binary.LittleEndian, 4, 2, 5, make([]byte, 12)), "")
	f.Add(gzipped(f, nifti(binary.BigEndian, 16, 1, 0, make([]byte, 24))), "")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, err := readArray(bytes.NewReader(b), int64(len(b)), name)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+uint64(len(b))*1032*16 { // deflate's best ratio
			t.Fatalf("%d bytes took %d of memory", len(b), grown)
		}
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		n, err := count(a.Shape)
		if err != nil || n != len(a.Values) {
			t.Fatalf("shape %v, %d values, %v", a.Shape, len(a.Values), err)
		}
		if planes, h, w, err := a.Planes(); err == nil && (len(planes) == 0 || len(planes[0]) != h*w) {
			t.Fatalf("%d planes of %d x %d", len(planes), h, w)
		}
	})
}
