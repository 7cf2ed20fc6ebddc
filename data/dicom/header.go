package dicom

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// wanted are the elements whose values are read; of all others only the name is
// ever seen.
var wanted = tagSet(
	tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.FrameOfReferenceUID,
	tag.StudyDate, tag.PatientID, tag.PatientName, tag.PatientBirthDate,
	tag.Modality, tag.Manufacturer, tag.ManufacturerModelName,
	tag.SamplesPerPixel, tag.PhotometricInterpretation, tag.PlanarConfiguration, tag.NumberOfFrames, tag.Rows, tag.Columns,
	tag.BitsAllocated, tag.BitsStored, tag.HighBit, tag.PixelRepresentation,
	tag.PixelSpacing, tag.WindowCenter, tag.WindowWidth, tag.RescaleSlope, tag.RescaleIntercept,
	tag.RedPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableDescriptor,
	tag.RedPaletteColorLookupTableData, tag.GreenPaletteColorLookupTableData, tag.BluePaletteColorLookupTableData,
	tag.SegmentedRedPaletteColorLookupTableData, tag.SegmentedGreenPaletteColorLookupTableData, tag.SegmentedBluePaletteColorLookupTableData,
	tag.FrameTime, tag.FrameTimeVector, tag.CineRate, tag.RecommendedDisplayFrameRate,
	tag.LossyImageCompression, tag.BurnedInAnnotation, tag.SequenceOfUltrasoundRegions,
)

func tagSet(tags ...tag.Tag) map[tag.Tag]bool {
	set := make(map[tag.Tag]bool)
	for _, t := range tags {
		set[t] = true
	}
	return set
}

// header is the wanted elements of a file and the names of all of them.
type header struct {
	values map[tag.Tag]lib.Value
	tags   []tag.Tag // every top-level element of the data set
}

// readHeader hands the wanted elements to the library, and only them: it
// allocates what a length says and panics on some hostile values.
func readHeader(src *source, l *layout) (header, error) {
	h := header{values: make(map[tag.Tag]lib.Value)}
	data := filePrefix(l.syntax)
	total := int64(0)
	for i, e := range l.elements {
		h.tags = append(h.tags, e.tag)
		if !wanted[e.tag] {
			continue
		}
		if err := fitForLibrary(e); err != nil {
			return h, err
		}
		end := l.pixels.at
		if i+1 < len(l.elements) {
			end = l.elements[i+1].at
		} else if end == 0 {
			end = src.size
		}
		n := end - e.at
		if total += n; n > maxElementBytes || total > maxHeaderBytes {
			return h, fmt.Errorf("element %s takes %d bytes, more than such a value has; the file is damaged, export it again", tag.DebugString(e.tag), n)
		}
		b, err := src.bytes(e.at, n)
		if err != nil {
			return h, err
		}
		data = append(data, b...)
	}
	set, err := parse(data)
	if err != nil {
		return h, err
	}
	for _, e := range set.Elements {
		if _, twice := h.values[e.Tag]; !twice && e.Value != nil {
			h.values[e.Tag] = e.Value
		}
	}
	return h, nil
}

// parse is the border to the library: its panic is this file's error.
func parse(data []byte) (set lib.Dataset, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the header is damaged (%v); export the file again", p)
		}
	}()
	set, err = lib.Parse(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		return set, fmt.Errorf("the header is damaged (%w); export the file again", err)
	}
	return set, nil
}

// filePrefix is a preamble and a File Meta Information that tells the library
// how the elements after it are coded.
func filePrefix(s syntax) []byte {
	uid := s.uid
	if s.encapsulated() {
		uid = explicitLittle
	}
	if len(uid)%2 == 1 {
		uid += "\x00"
	}
	le := binary.LittleEndian
	b := append(make([]byte, preambleBytes), "DICM\x02\x00\x00\x00UL\x04\x00"...)
	b = le.AppendUint32(b, uint32(8+len(uid)))
	b = append(b, "\x02\x00\x10\x00UI"...)
	b = le.AppendUint16(b, uint16(len(uid)))
	return append(b, uid...)
}

// text is the first value of an element as trimmed text, "" where absent.
func (h header) text(t tag.Tag) string {
	if all, ok := get[[]string](h.values[t]); ok && len(all) > 0 {
		return trim(all[0])
	}
	return ""
}

// numbers are the values of a numeric element, coded as text or binary; nil
// where absent or no number.
func (h header) numbers(t tag.Tag) []float64 { return numbers(h.values[t]) }

func numbers(v lib.Value) []float64 {
	var out []float64
	if ints, ok := get[[]int](v); ok {
		for _, n := range ints {
			out = append(out, float64(n))
		}
	} else if texts, ok := get[[]string](v); ok {
		for _, s := range texts {
			x, err := strconv.ParseFloat(trim(s), 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return nil
			}
			out = append(out, x)
		}
	} else if floats, ok := get[[]float64](v); ok {
		for _, x := range floats {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil
			}
			out = append(out, x)
		}
	}
	return out
}

// number is the first of numbers, or missing.
func (h header) number(t tag.Tag, missing float64) float64 {
	if all := h.numbers(t); len(all) > 0 {
		return all[0]
	}
	return missing
}

// whole is a count or code that must be between lo and hi; missing < lo makes
// the element obligatory.
func (h header) whole(t tag.Tag, missing, lo, hi int) (int, error) {
	x := h.number(t, float64(missing))
	n := int(x)
	switch {
	case len(h.numbers(t)) == 0 && h.text(t) != "":
		return 0, fmt.Errorf("%s is %q; it must be a whole number from %d to %d", tag.DebugString(t), clip(h.text(t), 16), lo, hi)
	case float64(n) == x && n >= lo && n <= hi:
		return n, nil
	case h.values[t] == nil:
		return 0, fmt.Errorf("%s is missing; the file is no whole picture, export it again", tag.DebugString(t))
	}
	return 0, fmt.Errorf("%s is %g; it must be a whole number from %d to %d", tag.DebugString(t), x, lo, hi)
}

// get is what a value holds, if it holds a T.
func get[T any](v lib.Value) (T, bool) {
	if v == nil {
		var none T
		return none, false
	}
	t, ok := v.GetValue().(T)
	return t, ok
}

// trim removes the padding of PS3.5 6.2.
func trim(s string) string { return strings.Trim(s, " \x00") }

// printable keeps an error message on one line of ASCII.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// items are the items of a sequence, each a header of its own.
func (h header) items(t tag.Tag) ([]header, error) {
	if h.values[t] == nil {
		return nil, nil
	}
	list, ok := get[[]*lib.SequenceItemValue](h.values[t])
	if !ok {
		return nil, fmt.Errorf("%s is no sequence; the file is damaged, export it again", tag.DebugString(t))
	}
	var out []header
	for _, item := range list {
		inner := header{values: make(map[tag.Tag]lib.Value)}
		elements, _ := item.GetValue().([]*lib.Element)
		for _, e := range elements {
			inner.values[e.Tag] = e.Value
		}
		out = append(out, inner)
	}
	return out, nil
}
