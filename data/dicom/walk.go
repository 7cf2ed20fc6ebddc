package dicom

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/suyashkumar/dicom/pkg/tag"
)

const (
	preambleBytes   = 128
	undefinedLength = 0xFFFFFFFF
	itemGroup       = 0xFFFE
)

var (
	errTruncated = errors.New("the file ends too early; copy or export it again")
	errNotDICOM  = errors.New("no DICOM file: neither its mark DICM nor a first element is where it should be")
)

// element is a header found by the walk and where its value lies.
type element struct {
	tag    tag.Tag
	vr     string // "" under implicit VR
	at     int64  // header, bytes from the file's beginning
	value  int64  // value, bytes from the file's beginning
	length uint32 // of the value, bytes; may be undefinedLength
}

// walker steps from element header to element header. It reads no values, and
// lets no length point past the end of what contains it.
type walker struct {
	src      *source
	order    binary.ByteOrder
	implicit bool
	count    *int // headers read so far, all nested ones included
}

// next reads the header at pos of a container that ends at end.
func (w walker) next(pos, end int64) (element, error) {
	e := element{at: pos}
	if *w.count++; *w.count > maxElements {
		return e, fmt.Errorf("more than %d elements; this is no picture a scanner exports", maxElements)
	}
	h, err := w.src.bytes(pos, min(12, end-pos))
	if err != nil {
		return e, err
	}
	if len(h) < 8 {
		return e, errTruncated
	}
	e.tag = tag.Tag{Group: w.order.Uint16(h), Element: w.order.Uint16(h[2:])}
	switch {
	case w.implicit || e.tag.Group == itemGroup:
		e.length, e.value = w.order.Uint32(h[4:]), pos+8
	default:
		e.vr = string(h[4:6])
		if !isVR(e.vr) {
			return e, fmt.Errorf("element %s has no value representation; the file is damaged, export it again", e.tag)
		}
		if !longVR(e.vr) {
			e.length, e.value = uint32(w.order.Uint16(h[6:])), pos+8
			break
		}
		if len(h) < 12 {
			return e, errTruncated
		}
		e.length, e.value = w.order.Uint32(h[8:]), pos+12
	}
	if delimiter := e.tag.Group == itemGroup && e.tag != tag.Item; delimiter && e.length != 0 {
		return e, fmt.Errorf("delimiter %s of %d bytes; the file is damaged, export it again", e.tag, e.length)
	}
	if e.length != undefinedLength && int64(e.length) > end-e.value {
		return e, fmt.Errorf("element %s claims %d bytes, %d are left: %w", e.tag, e.length, end-e.value, errTruncated)
	}
	return e, nil
}

// isVR: two capitals, PS3.5 6.2.
func isVR(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// longVR: the value representations with a 32-bit length, PS3.5 table 7.1-1.
func longVR(vr string) bool {
	switch vr {
	case "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV":
		return true
	}
	return false
}

// after is where the element following e begins. A deep walk looks into what has
// a defined length too and refuses what the library would read differently, so
// that every length inside is safe to allocate.
func (w walker) after(e element, end int64, deep bool, depth int) (int64, error) {
	if e.length != undefinedLength && !deep {
		return e.value + int64(e.length), nil
	}
	if depth > maxDepth {
		return 0, fmt.Errorf("sequences nested deeper than %d at %s", maxDepth, e.tag)
	}
	if e.vr == "UN" { // PS3.5 6.2.2: unknown content of undefined length is implicit little endian
		w.order, w.implicit = binary.LittleEndian, true
	}
	if e.length != undefinedLength {
		end = e.value + int64(e.length)
	}
	pos := e.value
	for e.length == undefinedLength || pos < end {
		item, err := w.next(pos, end)
		if err != nil {
			return 0, err
		}
		if item.tag == tag.SequenceDelimitationItem && e.length == undefinedLength {
			return item.value, nil
		}
		if item.tag != tag.Item {
			return 0, fmt.Errorf("element %s holds %s where an item should be; the file is damaged, export it again", e.tag, item.tag)
		}
		if pos, err = w.afterItem(item, end, deep, depth); err != nil {
			return 0, err
		}
	}
	return end, nil
}

func (w walker) afterItem(item element, end int64, deep bool, depth int) (int64, error) {
	if item.length != undefinedLength {
		if !deep {
			return item.value + int64(item.length), nil
		}
		end = item.value + int64(item.length)
	}
	pos := item.value
	for item.length == undefinedLength || pos < end {
		e, err := w.next(pos, end)
		if err != nil {
			return 0, err
		}
		if e.tag == tag.ItemDelimitationItem && item.length == undefinedLength {
			return e.value, nil
		}
		if deep {
			if err := fitForLibrary(e); err != nil {
				return 0, err
			}
		}
		if pos, err = w.after(e, end, deep && w.isSequence(e), depth+1); err != nil {
			return 0, err
		}
	}
	return end, nil
}

// isSequence asks the dictionary where the file does not say.
func (w walker) isSequence(e element) bool {
	if !w.implicit {
		return e.vr == "SQ"
	}
	info, err := tag.Find(e.tag)
	return err == nil && info.VRs[0] == "SQ"
}

// fitForLibrary refuses an element that the library reads differently from
// this walk: after it the two would disagree on where the next one is.
func fitForLibrary(e element) error {
	switch {
	case e.tag == tag.PixelData, e.tag.Group == itemGroup,
		e.vr == "OV", e.vr == "SV", e.vr == "UV", e.vr == "NA",
		e.vr == "UN" && e.length == undefinedLength:
		return fmt.Errorf("element %s (%s) does not belong where it is; the file is damaged, export it again", e.tag, printable(e.vr))
	}
	return nil
}

// source reads a file in small pieces without a system call for each.
type source struct {
	r    io.ReaderAt
	size int64
	buf  []byte
	at   int64
}

// bytes returns n bytes at pos, valid until the next call.
func (s *source) bytes(pos, n int64) ([]byte, error) {
	if n < 0 || pos < 0 || pos > s.size-n {
		return nil, errTruncated
	}
	if pos < s.at || pos+n > s.at+int64(len(s.buf)) {
		const page = 16 << 10
		s.at = pos
		s.buf = append(s.buf[:0], make([]byte, min(max(n, page), s.size-pos))...)
		if _, err := io.ReadFull(io.NewSectionReader(s.r, pos, int64(len(s.buf))), s.buf); err != nil {
			s.buf = s.buf[:0]
			return nil, fmt.Errorf("reading %d bytes at %d: %w", n, pos, err)
		}
	}
	return s.buf[pos-s.at : pos-s.at+n], nil
}
