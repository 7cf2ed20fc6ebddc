package scan

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// Array holds numbers that another program saved: grey levels, a stiffness map,
// labels. Whole numbers up to 2^24 are exact.
type Array struct {
	Shape  []int // the last axis varies fastest
	Values []float32

	// Pixel size along the last axis but one (depth) and the last (lateral),
	// mm; 0 where the format has none.
	DepthMMPerPx, LateralMMPerPx float64
}

// maxArrayValues bounds one array: 128 MiB as read, a hundred B-mode planes.
const maxArrayValues = 1 << 25

// ReadArray reads one array of an NPY, NPZ or NIfTI-1 file (.nii, .nii.gz). name
// picks one from an NPZ that holds several; it is ignored otherwise. Errors name
// the file and the remedy.
func ReadArray(path, name string) (*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading an array: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading an array: %w", err)
	}
	a, err := readArray(f, info.Size(), name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return a, nil
}

// readArray tells the formats apart by their first bytes.
func readArray(r source, size int64, name string) (*Array, error) {
	head := make([]byte, 8)
	n, _ := r.ReadAt(head, 0) // a shorter file is none of them
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return readNPY(bufio.NewReader(r))
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return readNPZ(r, size, name)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return readGzippedNIfTI(r)
	case isNIfTI(head):
		return readNIfTI(bufio.NewReader(r))
	}
	return nil, errors.New("it is no NPY, NPZ or NIfTI-1 file; save it with numpy.save, numpy.savez or nibabel")
}

// Planes are the array's 2-D slices [Height, Width]: one for a plane, several
// for a stack [n, height, width], one of luma for a colour picture [height,
// width, 3 or 4].
func (a *Array) Planes() (planes [][]float32, height, width int, err error) {
	shape := slices.Clone(a.Shape)
	for len(shape) > 2 && shape[0] == 1 {
		shape = shape[1:]
	}
	for len(shape) > 2 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1]
	}
	switch {
	case len(shape) == 2:
		return [][]float32{a.Values}, shape[0], shape[1], nil
	case len(shape) == 3 && (shape[2] == 3 || shape[2] == 4):
		return [][]float32{a.luma(shape[2])}, shape[0], shape[1], nil
	case len(shape) == 3:
		n := shape[1] * shape[2]
		for k := range shape[0] {
			planes = append(planes, a.Values[k*n:(k+1)*n])
		}
		return planes, shape[1], shape[2], nil
	}
	return nil, 0, 0, fmt.Errorf("its shape is %v; it must be [height, width], [n, height, width] or [height, width, 3]", a.Shape)
}

// luma weighs the channels of a colour picture (BT.601).
func (a *Array) luma(channels int) []float32 {
	out := make([]float32, len(a.Values)/channels)
	for i := range out {
		p := a.Values[i*channels:]
		out[i] = 0.299*p[0] + 0.587*p[1] + 0.114*p[2]
	}
	return out
}

// count multiplies a shape out, refusing what is no array of pictures.
func count(shape []int) (int, error) {
	if len(shape) == 0 || len(shape) > 7 {
		return 0, fmt.Errorf("it has %d axes; 2 or 3 make a picture", len(shape))
	}
	n := 1
	for _, d := range shape {
		if d <= 0 || n > maxArrayValues/d {
			return 0, fmt.Errorf("its shape %v is empty or holds more than %d values; save fewer planes in a file", shape, maxArrayValues)
		}
		n *= d
	}
	return n, nil
}

// numeric is a type of stored values: its kind (b bool, u unsigned, i signed, f
// float), its size and the order of its bytes.
type numeric struct {
	kind  byte
	bytes int
	order binary.ByteOrder
}

func (t numeric) known() bool {
	switch t.kind {
	case 'b':
		return t.bytes == 1
	case 'u', 'i':
		return t.bytes == 1 || t.bytes == 2 || t.bytes == 4 || t.bytes == 8
	case 'f':
		return t.bytes == 4 || t.bytes == 8
	}
	return false
}

// read takes n numbers from r. Memory grows with what really comes, whatever a
// header promised.
func (t numeric) read(r io.Reader, n int) ([]float32, error) {
	const chunk = 1 << 16 // numbers
	raw := make([]byte, min(n, chunk)*t.bytes)
	out := make([]float32, 0, min(n, chunk))
	for len(out) < n {
		part := raw[:min(n-len(out), chunk)*t.bytes]
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, fmt.Errorf("it ends before its %d values are read (%w); it is damaged, save it again", n, err)
		}
		if len(out)+chunk > cap(out) {
			out = append(make([]float32, 0, min(n, 2*cap(out)+chunk)), out...)
		}
		for i := 0; i < len(part); i += t.bytes {
			out = append(out, t.decode(part[i:i+t.bytes]))
		}
	}
	return out, nil
}

func (t numeric) decode(b []byte) float32 {
	var u uint64
	switch t.bytes {
	case 1:
		u = uint64(b[0])
	case 2:
		u = uint64(t.order.Uint16(b))
	case 4:
		u = uint64(t.order.Uint32(b))
	default:
		u = t.order.Uint64(b)
	}
	switch t.kind {
	case 'f':
		if t.bytes == 4 {
			return math.Float32frombits(uint32(u))
		}
		return float32(math.Float64frombits(u))
	case 'i':
		shift := 64 - 8*t.bytes
		return float32(int64(u<<shift) >> shift)
	}
	return float32(u)
}

// joined words a list for a message.
func joined(names []string) string {
	slices.Sort(names)
	if len(names) > 12 {
		names = append(names[:12:12], "…")
	}
	return strings.Join(names, ", ")
}
