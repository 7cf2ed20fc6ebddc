package npz

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// File holds the arrays of one archive by name.
type File struct {
	path   string
	arrays map[string]Array
}

// ReadFile reads every array of an archive. The error names the file and says whether it is damaged (ErrDamaged).
func ReadFile(path string) (*File, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w: not a whole .npz archive", path, ErrDamaged)
		}
		return nil, err // *PathError: names the file
	}
	defer z.Close()
	f := &File{path: path, arrays: make(map[string]Array)}
	total := 0
	for _, entry := range z.File {
		name, ok := strings.CutSuffix(entry.Name, ".npy")
		if !ok {
			continue
		}
		a, err := readEntry(entry, &total)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: array %q: %v", path, ErrDamaged, name, err)
		}
		f.arrays[name] = a
	}
	return f, nil
}

// ErrDamaged marks a file whose bytes are not what a writer of this package leaves.
var ErrDamaged = errors.New("damaged file")

// Names lists the arrays; the order is not defined.
func (f *File) Names() []string {
	names := make([]string, 0, len(f.arrays))
	for name := range f.arrays {
		names = append(names, name)
	}
	return names
}

// Has tells whether the archive holds an array of this name.
func (f *File) Has(name string) bool {
	_, ok := f.arrays[name]
	return ok
}

// Get returns a named array's values and shape; it is an error if the array is missing or of another type.
func Get[T uint8 | bool | int64 | float32 | float64](f *File, name string) (data []T, shape []int, err error) {
	a, ok := f.arrays[name]
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w: array %q is missing", f.path, ErrDamaged, name)
	}
	data, ok = a.Data.([]T)
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w: array %q holds %T, expected %T", f.path, ErrDamaged, name, a.Data, data)
	}
	return data, a.Shape, nil
}

var (
	descrPattern = regexp.MustCompile(`'descr':\s*'([^']+)'`)
	orderPattern = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	shapePattern = regexp.MustCompile(`'shape':\s*\(([0-9,\s]*)\)`)
)

func readEntry(entry *zip.File, total *int) (Array, error) {
	r, err := entry.Open()
	if err != nil {
		return Array{}, err
	}
	defer r.Close()
	descr, shape, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	n, err := elements(shape)
	if err != nil {
		return Array{}, err
	}
	if *total += n; *total > maxElements {
		return Array{}, fmt.Errorf("the archive holds more than %d values", maxElements)
	}
	if uint64(n) > entry.UncompressedSize64 { // at least one byte a value: a lying header allocates nothing
		return Array{}, fmt.Errorf("shape %v needs more than the %d bytes stored", shape, entry.UncompressedSize64)
	}
	data, err := readData(r, descr, n)
	if err != nil {
		return Array{}, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // reaching the end checks the CRC
		return Array{}, err
	}
	return Array{Shape: shape, Data: data}, nil
}

func readHeader(r io.Reader) (descr string, shape []int, err error) {
	var fixed [8]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return "", nil, err
	}
	if string(fixed[:6]) != magic {
		return "", nil, errors.New("no NumPy magic")
	}
	length := 0
	switch fixed[6] {
	case 1:
		var b [2]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return "", nil, err
		}
		length = int(binary.LittleEndian.Uint16(b[:]))
	case 2, 3:
		var b [4]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return "", nil, err
		}
		length = int(binary.LittleEndian.Uint32(b[:]))
	default:
		return "", nil, fmt.Errorf("NumPy format version %d is unknown", fixed[6])
	}
	if length > 1<<16 {
		return "", nil, fmt.Errorf("a header of %d bytes is not one of ours", length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return "", nil, err
	}
	d, o, s := descrPattern.FindSubmatch(text), orderPattern.FindSubmatch(text), shapePattern.FindSubmatch(text)
	if d == nil || o == nil || s == nil {
		return "", nil, fmt.Errorf("header %q is not understood", text)
	}
	if string(o[1]) == "True" {
		return "", nil, errors.New("Fortran order is not supported: save with numpy.ascontiguousarray")
	}
	for field := range strings.SplitSeq(string(s[1]), ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		dim, err := strconv.Atoi(field)
		if err != nil {
			return "", nil, err
		}
		shape = append(shape, dim)
	}
	return string(d[1]), shape, nil
}

func readData(r io.Reader, descr string, n int) (any, error) {
	switch descr {
	case "|u1":
		return readSlice[uint8](r, n)
	case "|b1":
		return readSlice[bool](r, n)
	case "<i8":
		return readSlice[int64](r, n)
	case "<f4":
		return readSlice[float32](r, n)
	case "<f8":
		return readSlice[float64](r, n)
	}
	return nil, fmt.Errorf("type %q is not supported (uint8, bool, int64, float32, float64 are)", descr)
}

func readSlice[T any](r io.Reader, n int) ([]T, error) {
	v := make([]T, n)
	if err := binary.Read(r, binary.LittleEndian, v); err != nil {
		return nil, err
	}
	return v, nil
}
