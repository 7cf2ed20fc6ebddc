package dicom

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"elastography/data/dicom/dicomtest"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// testFile is a DICOM file written by hand, byte by byte, so that it can be
// wrong in every way.
type testFile struct {
	syntax     string
	noPreamble bool
	fields     map[tag.Tag]field
	pixels     []byte
	fragments  [][]byte // instead of pixels: encapsulated
	offsets    []uint32
}

type field struct {
	vr    string
	value any // string, []uint16, []float64, []byte, or []map[tag.Tag]field
}

// picture is a file with the obligatory fields of a picture.
func picture(syntax, photometric string, height, width, samples, bits int) *testFile {
	us := func(n int) field { return field{"US", []uint16{uint16(n)}} }
	return &testFile{syntax: syntax, fields: map[tag.Tag]field{
		tag.SOPClassUID:               {"UI", "1.2.840.10008.5.1.4.1.1.6.1"},
		tag.Modality:                  {"CS", "US"},
		tag.SamplesPerPixel:           us(samples),
		tag.PhotometricInterpretation: {"CS", photometric},
		tag.Rows:                      us(height),
		tag.Columns:                   us(width),
		tag.BitsAllocated:             us(bits),
		tag.BitsStored:                us(bits),
		tag.HighBit:                   us(bits - 1),
		tag.PixelRepresentation:       us(0),
	}}
}

// order both reads and appends.
func (f *testFile) order() interface {
	binary.ByteOrder
	binary.AppendByteOrder
} {
	if f.syntax == explicitBig {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (f *testFile) bytes() []byte {
	var b bytes.Buffer
	if !f.noPreamble {
		b.Write(make([]byte, preambleBytes))
		b.WriteString("DICM")
		uid := f.syntax + strings.Repeat("\x00", len(f.syntax)%2)
		b.WriteString("\x02\x00\x10\x00UI")
		b.Write([]byte{byte(len(uid)), 0})
		b.WriteString(uid)
	}
	f.write(&b, f.fields)
	if f.fragments != nil {
		f.head(&b, tag.PixelData, "OB", undefinedLength)
		item := func(v []byte) {
			v = append(slices.Clip(v), make([]byte, len(v)%2)...)
			f.head(&b, tag.Item, "", len(v))
			b.Write(v)
		}
		var table []byte
		for _, at := range f.offsets {
			table = binary.LittleEndian.AppendUint32(table, at)
		}
		item(table)
		for _, v := range f.fragments {
			item(v)
		}
		f.head(&b, tag.SequenceDelimitationItem, "", 0)
		return b.Bytes()
	}
	if f.pixels != nil {
		v := append(bytes.Clone(f.pixels), make([]byte, len(f.pixels)%2)...)
		if f.syntax == explicitBig { // OW: words
			for i := 0; i+1 < len(v); i += 2 {
				v[i], v[i+1] = v[i+1], v[i]
			}
		}
		f.head(&b, tag.PixelData, "OW", len(v))
		b.Write(v)
	}
	return b.Bytes()
}

func (f *testFile) head(b *bytes.Buffer, t tag.Tag, vr string, length int) {
	o := f.order()
	h := o.AppendUint16(o.AppendUint16(nil, t.Group), t.Element)
	switch {
	case f.syntax == implicitLittle || vr == "":
		h = o.AppendUint32(h, uint32(length))
	case longVR(vr):
		h = o.AppendUint32(append(h, vr[0], vr[1], 0, 0), uint32(length))
	default:
		h = o.AppendUint16(append(h, vr[0], vr[1]), uint16(length))
	}
	b.Write(h)
}

func (f *testFile) write(b *bytes.Buffer, fields map[tag.Tag]field) {
	var tags []tag.Tag
	for t := range fields {
		tags = append(tags, t)
	}
	slices.SortFunc(tags, func(a, b tag.Tag) int { return a.Compare(b) })
	o := f.order()
	for _, t := range tags {
		var v []byte
		switch x := fields[t].value.(type) {
		case string:
			v = []byte(x)
			if len(v)%2 == 1 {
				v = append(v, ' ')
			}
		case []byte:
			v = x
		case []uint16:
			for _, n := range x {
				v = o.AppendUint16(v, n)
			}
		case []uint32:
			for _, n := range x {
				v = o.AppendUint32(v, n)
			}
		case []float64:
			for _, n := range x {
				v = o.AppendUint64(v, math.Float64bits(n))
			}
		case []map[tag.Tag]field: // items of undefined length in a sequence of undefined length
			var inner bytes.Buffer
			for _, item := range x {
				f.head(&inner, tag.Item, "", undefinedLength)
				f.write(&inner, item)
				f.head(&inner, tag.ItemDelimitationItem, "", 0)
			}
			f.head(&inner, tag.SequenceDelimitationItem, "", 0)
			f.head(b, t, "SQ", undefinedLength)
			b.Write(inner.Bytes())
			continue
		default:
			panic(fmt.Sprintf("field of type %T", x))
		}
		f.head(b, t, fields[t].vr, len(v))
		b.Write(v)
	}
}

func (f *testFile) open() (*Image, error) {
	b := f.bytes()
	return New("test file", bytes.NewReader(b), int64(len(b)))
}

// region is one ultrasound region in fields, with pixels of 0.2 mm.
func region(dataType, x0, y0, x1, y1 int) map[tag.Tag]field {
	ul := func(n int) field { return field{"UL", []uint32{uint32(n)}} }
	us := func(n int) field { return field{"US", []uint16{uint16(n)}} }
	return map[tag.Tag]field{
		tag.RegionSpatialFormat: us(1), tag.RegionDataType: us(dataType), tag.RegionFlags: ul(0),
		tag.RegionLocationMinX0: ul(x0), tag.RegionLocationMinY0: ul(y0), tag.RegionLocationMaxX1: ul(x1), tag.RegionLocationMaxY1: ul(y1),
		tag.PhysicalUnitsXDirection: us(3), tag.PhysicalUnitsYDirection: us(3),
		tag.PhysicalDeltaX: {"FD", []float64{0.02}}, tag.PhysicalDeltaY: {"FD", []float64{0.02}},
	}
}

// ramp is n samples that all differ from their neighbours.
func ramp(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i*37 + i/256)
	}
	return out
}

func words(b []byte) []uint16 {
	out := make([]uint16, len(b))
	for i, v := range b {
		out[i] = uint16(v)
	}
	return out
}

// everyKind is a small file of every coding that is read: the seeds of the
// fuzzing and the table of the reading test.
func everyKind() map[string]*testFile {
	px := ramp(6 * 8 * 3)
	kinds := map[string]*testFile{}
	for _, uid := range []string{implicitLittle, explicitLittle, explicitBig} {
		f := picture(uid, rgb, 6, 8, 3, 8)
		f.pixels = px
		f.fields[tag.SequenceOfUltrasoundRegions] = field{"SQ", []map[tag.Tag]field{region(1, 0, 0, 3, 5), region(0x0E, 6, 1, 6, 4)}}
		kinds[syntaxes[uid].name] = f
	}
	planes := make([][]byte, 3)
	for i, v := range px {
		planes[i%3] = append(planes[i%3], v)
	}
	f := picture(explicitLittle, rgb, 6, 8, 3, 8)
	f.fields[tag.PlanarConfiguration] = field{"US", []uint16{1}}
	f.pixels = slices.Concat(planes...)
	kinds["planes"] = f

	f = picture(rleLossless, rgb, 6, 8, 3, 8)
	f.fragments = [][]byte{dicomtest.RLE(planes...)}
	kinds["RLE"] = f

	f = picture(jpegLossless, rgb, 6, 8, 3, 8)
	stream := dicomtest.JPEGLossless(words(px), dicomtest.Lossless{Height: 6, Width: 8, Components: 3, Precision: 8, Selection: 6})
	f.fragments = [][]byte{stream[:40], stream[40:]} // one frame in two fragments
	kinds["JPEG lossless"] = f
	return kinds
}
