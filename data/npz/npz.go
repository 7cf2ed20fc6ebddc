// Package npz reads and writes NumPy's .npz archives of flat arrays with a shape.
//
// It owns the file format of planes, predictions and checkpoints: deterministic bytes (the same arrays give the same
// file), atomic writes, and a reader that refuses hostile sizes instead of allocating them. It knows nothing of what
// the arrays mean. It exists beside npyio because that package writes only one-dimensional slices and panics on a
// header without an end of line.
package npz

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/google/renameio/v2"
)

// Array is one named array, row-major. Data is []uint8, []bool, []int64, []float32 or []float64.
type Array struct {
	Shape []int
	Data  any
}

// Of returns a row-major array; a missing shape means one dimension.
func Of[T uint8 | bool | int64 | float32 | float64](data []T, shape ...int) Array {
	if len(shape) == 0 {
		shape = []int{len(data)}
	}
	return Array{Shape: shape, Data: data}
}

// WriteFile writes the arrays to path, by a temporary file and a rename: a reader sees the old file or the whole new one.
func WriteFile(path string, arrays map[string]Array) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer f.Cleanup()
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err := Write(buffered, arrays); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Write writes the arrays in the order of their names, so that equal arrays give equal bytes.
func Write(w io.Writer, arrays map[string]Array) error {
	names := make([]string, 0, len(arrays))
	for name := range arrays {
		names = append(names, name)
	}
	sort.Strings(names)
	z := zip.NewWriter(w)
	for _, name := range names {
		entry, err := z.Create(name + ".npy")
		if err != nil {
			return err
		}
		if err := writeArray(entry, arrays[name]); err != nil {
			return fmt.Errorf("array %q: %w", name, err)
		}
	}
	return z.Close()
}

func writeArray(w io.Writer, a Array) error {
	descr, n := describe(a.Data)
	if descr == "" {
		return fmt.Errorf("type %T can't be stored", a.Data)
	}
	size, err := elements(a.Shape)
	if err != nil {
		return err
	}
	if size != n {
		return fmt.Errorf("%d values do not fill shape %v", n, a.Shape)
	}
	if _, err := w.Write(header(descr, a.Shape)); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, a.Data)
}

// header is version 1.0 of NumPy's format: magic, version, length, a Python dictionary padded to 64 bytes.
func header(descr string, shape []int) []byte {
	var dims strings.Builder
	for _, d := range shape {
		fmt.Fprintf(&dims, "%d, ", d)
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(dims.String(), " "))
	const preamble = 10
	pad := 64 - (preamble+len(dict)+1)%64
	dict += strings.Repeat(" ", pad%64) + "\n"
	out := append([]byte(magic), 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(dict)))
	return append(out, dict...)
}

const magic = "\x93NUMPY"

func describe(data any) (descr string, n int) {
	switch v := data.(type) {
	case []uint8:
		return "|u1", len(v)
	case []bool:
		return "|b1", len(v)
	case []int64:
		return "<i8", len(v)
	case []float32:
		return "<f4", len(v)
	case []float64:
		return "<f8", len(v)
	}
	return "", 0
}

// elements multiplies a shape out, refusing what no file of ours can hold.
func elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 || (d > 0 && n > maxElements/d) {
			return 0, fmt.Errorf("shape %v is negative or above %d values", shape, maxElements)
		}
		n *= d
	}
	return n, nil
}

// maxElements bounds one array: a billion-value plane is an attack or an accident.
const maxElements = 1 << 28
