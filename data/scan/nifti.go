package scan

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// NIfTI-1, single file. The header is 348 bytes (nifti1.h); the first axis of
// the data varies fastest. An ultrasound plane is stored with its first axis
// lateral and its second axis depth, from the probe downwards.

const niftiHeader = 348

// niftiTypes are the numeric codes of nifti1.h that a map or a label has.
var niftiTypes = map[int16]numeric{
	2: {kind: 'u', bytes: 1}, 4: {kind: 'i', bytes: 2}, 8: {kind: 'i', bytes: 4}, 16: {kind: 'f', bytes: 4}, 64: {kind: 'f', bytes: 8},
	256: {kind: 'i', bytes: 1}, 512: {kind: 'u', bytes: 2}, 768: {kind: 'u', bytes: 4}, 1024: {kind: 'i', bytes: 8}, 1280: {kind: 'u', bytes: 8},
}

func isNIfTI(head []byte) bool {
	return len(head) >= 4 && (binary.LittleEndian.Uint32(head) == niftiHeader || binary.BigEndian.Uint32(head) == niftiHeader)
}

func readGzippedNIfTI(r io.Reader) (*Array, error) {
	z, err := gzip.NewReader(bufio.NewReader(r))
	if err != nil {
		return nil, fmt.Errorf("%w; it is damaged, save it again", err)
	}
	defer z.Close()
	return readNIfTI(z)
}

func readNIfTI(r io.Reader) (*Array, error) {
	h := make([]byte, niftiHeader)
	if _, err := io.ReadFull(r, h); err != nil || !isNIfTI(h) {
		return nil, errors.New("it has no whole NIfTI-1 header; save it with nibabel as .nii or .nii.gz")
	}
	var order binary.ByteOrder = binary.LittleEndian
	if order.Uint32(h) != niftiHeader {
		order = binary.BigEndian
	}
	switch string(h[344:348]) {
	case "n+1\x00":
	case "ni1\x00":
		return nil, errors.New("its data lie in a second file; save header and data together, as .nii")
	default:
		return nil, errors.New("its NIfTI mark is missing; save it as NIfTI-1 (.nii)")
	}
	short := func(at int) int16 { return int16(order.Uint16(h[at:])) }
	float := func(at int) float64 { return float64(math.Float32frombits(order.Uint32(h[at:]))) }

	axes := int(short(40))
	if axes < 2 || axes > 7 {
		return nil, fmt.Errorf("it has %d axes; 2 or 3 make a picture", axes)
	}
	for axes > 2 && short(40+2*axes) == 1 {
		axes--
	}
	shape := make([]int, axes)
	for k := range axes { // reversed: the fastest axis comes last
		shape[axes-1-k] = int(short(42 + 2*k))
	}
	n, err := count(shape)
	if err != nil {
		return nil, err
	}
	t, ok := niftiTypes[short(70)]
	if !ok {
		return nil, fmt.Errorf("its NIfTI data type %d is not supported; save real numbers, such as float32", short(70))
	}
	t.order = order

	offset := float(108)
	if !(offset >= niftiHeader && offset < 1<<20) {
		return nil, fmt.Errorf("its data begin at byte %g, which is no place in a NIfTI-1 file", offset)
	}
	if _, err := io.CopyN(io.Discard, r, int64(offset)-niftiHeader); err != nil {
		return nil, fmt.Errorf("it ends before its data (%w); it is damaged, save it again", err)
	}
	a := &Array{Shape: shape}
	if a.Values, err = t.read(r, n); err != nil {
		return nil, err
	}
	if slope, inter := float(112), float(116); slope != 0 && (slope != 1 || inter != 0) && !math.IsNaN(slope+inter) {
		for i, v := range a.Values {
			a.Values[i] = float32(float64(v)*slope + inter)
		}
	}
	if unit := map[byte]float64{1: 1000, 2: 1, 3: 0.001}[h[123]&7]; unit > 0 {
		a.LateralMMPerPx, a.DepthMMPerPx = pixelSize(float(80)*unit), pixelSize(float(84)*unit)
	}
	return a, nil
}

// pixelSize is a pixel size, 0 when the file has none that could be.
func pixelSize(mm float64) float64 {
	if mm = math.Abs(mm); mm > 1e-4 && mm < 100 {
		return mm
	}
	return 0
}
