package scan

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// NumPy's formats as other programs write them: any numeric type, byte order
// and axis order. (Package data/npz reads only what this project writes.)

var (
	npyDescr   = regexp.MustCompile(`'descr':\s*'([<>|=])([a-zA-Z])(\d*)'`)
	npyFortran = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	npyShape   = regexp.MustCompile(`'shape':\s*\(([0-9,\s]*)\)`)
)

func readNPY(r io.Reader) (*Array, error) {
	text, err := npyHeader(r)
	if err != nil {
		return nil, err
	}
	descr, fortran, dims := npyDescr.FindStringSubmatch(text), npyFortran.FindStringSubmatch(text), npyShape.FindStringSubmatch(text)
	if descr == nil || fortran == nil || dims == nil {
		return nil, fmt.Errorf("its NumPy header %.80q is not understood; save a plain numeric array with numpy.save", text)
	}
	t := numeric{kind: descr[2][0], order: binary.LittleEndian}
	t.bytes, _ = strconv.Atoi(descr[3]) // digits or nothing: nothing is unknown below
	if descr[1] == ">" {
		t.order = binary.BigEndian
	}
	if !t.known() {
		return nil, fmt.Errorf("its type %s%s is not supported; save it with .astype('float32') or .astype('uint8')", descr[2], descr[3])
	}
	var shape []int
	for field := range strings.SplitSeq(dims[1], ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		d, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("its shape (%s) is not understood", dims[1])
		}
		shape = append(shape, d)
	}
	if len(shape) == 0 {
		shape = []int{1} // a lone number
	}
	n, err := count(shape)
	if err != nil {
		return nil, err
	}
	values, err := t.read(r, n)
	if err != nil {
		return nil, err
	}
	if fortran[1] == "True" {
		values = rowMajor(values, shape)
	}
	return &Array{Shape: shape, Values: values}, nil
}

func npyHeader(r io.Reader) (string, error) {
	var fixed [8]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil || string(fixed[:6]) != "\x93NUMPY" {
		return "", errors.New("it has no NumPy header; save it with numpy.save")
	}
	size := make([]byte, 2)
	if fixed[6] >= 2 {
		size = make([]byte, 4)
	}
	if _, err := io.ReadFull(r, size); err != nil {
		return "", fmt.Errorf("its NumPy header is cut off: %w", err)
	}
	length := int(binary.LittleEndian.Uint16(size))
	if len(size) == 4 {
		length = int(min(binary.LittleEndian.Uint32(size), 1<<30))
	}
	const longest = 1 << 16
	if fixed[6] < 1 || fixed[6] > 3 || length > longest {
		return "", fmt.Errorf("its NumPy format %d with a header of %d bytes is unknown; save a plain array with numpy.save", fixed[6], length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return "", fmt.Errorf("its NumPy header is cut off: %w", err)
	}
	return string(text), nil
}

// rowMajor reorders values whose first axis varies fastest.
func rowMajor(values []float32, shape []int) []float32 {
	out := make([]float32, len(values))
	index := make([]int, len(shape)) // of the value in turn, first axis fastest
	for _, v := range values {
		at := 0
		for axis, d := range shape {
			at = at*d + index[axis]
		}
		out[at] = v
		for axis := range index {
			if index[axis]++; index[axis] < shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return out
}

// ArrayNames lists the arrays of an NPZ file.
func ArrayNames(path string) ([]string, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w; it is no whole .npz file, save it again", path, err)
	}
	defer z.Close()
	return npzNames(&z.Reader), nil
}

func npzNames(z *zip.Reader) []string {
	var names []string
	for _, entry := range z.File {
		if name, ok := strings.CutSuffix(entry.Name, ".npy"); ok && len(names) < 1000 {
			names = append(names, name)
		}
	}
	return names
}

func readNPZ(r io.ReaderAt, size int64, name string) (*Array, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w; it is no whole .npz file, save it again", err)
	}
	names := npzNames(z)
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == name+".npy" })
	if i < 0 {
		return nil, fmt.Errorf("it holds the arrays %s, not %q; name one as file.npz#array", joined(names), name)
	}
	entry, err := z.File[i].Open()
	if err != nil {
		return nil, fmt.Errorf("array %s: %w; save it again", name, err)
	}
	defer entry.Close()
	a, err := readNPY(entry)
	if err != nil {
		return nil, fmt.Errorf("array %s: %w", name, err)
	}
	// The checksum comes after the last byte; a little more may follow a bad size.
	if n, err := io.CopyN(io.Discard, entry, 1<<20); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("array %s: %w after %d bytes; it is damaged, save it again", name, err, n)
	}
	return a, nil
}
