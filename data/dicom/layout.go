package dicom

import (
	"encoding/binary"
	"fmt"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// layout is where things are in a file.
type layout struct {
	syntax    syntax
	elements  []element // top level of the data set, before the pixel data
	pixels    element   // Pixel Data (7FE0,0010)
	offsets   []uint32  // Basic Offset Table, bytes from the first fragment
	fragments []span    // of encapsulated pixel data
}

// span is a piece of the file, bytes.
type span struct{ at, length int64 }

// survey walks a file up to and through its pixel data.
func survey(src *source) (*layout, error) {
	l := new(layout)
	count := 0
	w := walker{src: src, order: binary.LittleEndian, count: &count}
	pos := int64(0)
	if head, err := src.bytes(0, min(src.size, preambleBytes+4)); err != nil {
		return nil, err
	} else if Is(head) {
		if pos, err = l.meta(w, preambleBytes+4); err != nil {
			return nil, err
		}
	} else if len(head) < 8 || head[1] != 0 || head[0] > 8 || head[0] == 0 { // old files begin with group 2 or 8 at once
		return nil, errNotDICOM
	} else if head[0] == 2 {
		if pos, err = l.meta(w, 0); err != nil {
			return nil, err
		}
	}
	if l.syntax.uid == "" {
		head, err := src.bytes(pos, 6)
		if err != nil {
			return nil, err
		}
		l.syntax = syntaxes[implicitLittle]
		if isVR(string(head[4:6])) {
			l.syntax = syntaxes[explicitLittle]
		}
	}
	w.order, w.implicit = l.syntax.order(), l.syntax.uid == implicitLittle
	for pos < src.size {
		e, err := w.next(pos, src.size)
		if e.tag == tag.PixelData && err != nil {
			return nil, fmt.Errorf("pixel data: %w", err)
		}
		if err != nil {
			return nil, err
		}
		if e.tag == tag.PixelData {
			l.pixels = e
			return l, l.fragment(w)
		}
		l.elements = append(l.elements, e)
		if pos, err = w.after(e, src.size, e.tag == tag.SequenceOfUltrasoundRegions, 0); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// meta walks the File Meta Information, PS3.10 7.1: explicit little endian
// whatever follows. It needs the transfer syntax only.
func (l *layout) meta(w walker, pos int64) (int64, error) {
	for pos < w.src.size {
		if group, err := w.src.bytes(pos, 2); err != nil {
			return 0, err
		} else if binary.LittleEndian.Uint16(group) != tag.MetadataGroup {
			break
		}
		e, err := w.next(pos, w.src.size)
		if err != nil {
			return 0, fmt.Errorf("file meta information: %w", err)
		}
		if e.tag == tag.TransferSyntaxUID && e.length <= 64 {
			uid, err := w.src.bytes(e.value, int64(e.length))
			if err != nil {
				return 0, err
			}
			if l.syntax, err = syntaxByUID(trim(string(uid))); err != nil {
				return 0, err
			}
		}
		if pos, err = w.after(e, w.src.size, false, 0); err != nil {
			return 0, fmt.Errorf("file meta information: %w", err)
		}
	}
	return pos, nil
}

// fragment lists the items of encapsulated pixel data, PS3.5 A.4.
func (l *layout) fragment(w walker) error {
	if l.pixels.length != undefinedLength {
		return nil
	}
	if !l.syntax.encapsulated() {
		return fmt.Errorf("pixel data of undefined length under %s; the file is damaged, export it again", l.syntax.name)
	}
	pos, first := l.pixels.value, true
	for pos < w.src.size { // the end may lack its delimiter: every fragment before it is whole
		e, err := w.next(pos, w.src.size)
		if err != nil {
			return fmt.Errorf("pixel data: %w", err)
		}
		if e.tag == tag.SequenceDelimitationItem {
			break
		}
		if e.tag != tag.Item || e.length == undefinedLength {
			return fmt.Errorf("pixel data hold %s where a fragment should be; the file is damaged, export it again", e.tag)
		}
		if first {
			if err := l.offsetTable(w, e); err != nil {
				return err
			}
		} else {
			l.fragments = append(l.fragments, span{e.value, int64(e.length)})
		}
		first = false
		pos = e.value + int64(e.length)
	}
	if len(l.fragments) == 0 {
		return fmt.Errorf("pixel data: no fragment: %w", errTruncated)
	}
	return nil
}

func (l *layout) offsetTable(w walker, e element) error {
	if e.length%4 != 0 || e.length/4 > maxFrames {
		return nil // a table that is none; frames are found without it or not at all
	}
	table, err := w.src.bytes(e.value, int64(e.length))
	if err != nil {
		return fmt.Errorf("pixel data: %w", err)
	}
	for i := 0; i < len(table); i += 4 {
		l.offsets = append(l.offsets, w.order.Uint32(table[i:]))
	}
	return nil
}
