package dicom

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"strings"
	"testing"

	"elastography/data/dicom/dicomtest"
	"elastography/data/jpegdct"

	"github.com/suyashkumar/dicom/pkg/tag"
)

func firstFrame(t *testing.T, f *testFile) *Frame {
	t.Helper()
	im, err := f.open()
	if err != nil {
		t.Fatal(err)
	}
	frame, err := im.Frame(0)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// TestTheSamePictureFromEveryCoding: byte orders, planes, RLE and lossless JPEG.
func TestTheSamePictureFromEveryCoding(t *testing.T) {
	want := ramp(6 * 8 * 3)
	for name, f := range everyKind() {
		if got := firstFrame(t, f); got.Height != 6 || got.Width != 8 || got.Channels != 3 || !bytes.Equal(got.Pix, want) {
			t.Errorf("%s: %d x %d x %d\n%v\nwant\n%v", name, got.Width, got.Height, got.Channels, got.Pix, want)
		}
		f.noPreamble = true
		if f.syntax == implicitLittle || f.syntax == explicitLittle {
			if got := firstFrame(t, f); !bytes.Equal(got.Pix, want) {
				t.Errorf("%s without a preamble: %v", name, got.Pix)
			}
		}
	}
}

func TestRegionsCarryTheirKindAndPixelSize(t *testing.T) {
	im, err := everyKind()["Explicit VR Big Endian"].open()
	if err != nil {
		t.Fatal(err)
	}
	want := []Region{
		{Bounds: image.Rect(0, 0, 4, 6), Kind: Tissue, SpatialFormat: 1, DataType: 1, LateralMMPerPx: 0.2, DepthMMPerPx: 0.2},
		{Bounds: image.Rect(6, 1, 7, 5), Kind: ColourBar, SpatialFormat: 1, DataType: 14, LateralMMPerPx: 0.2, DepthMMPerPx: 0.2},
	}
	if !slices.Equal(im.Regions, want) {
		t.Errorf("%+v\nwant %+v", im.Regions, want)
	}
}

func TestAFrameOfACineIsFoundByItsOffset(t *testing.T) {
	f := picture(rleLossless, monochrome2, 2, 3, 1, 8)
	f.fields[tag.NumberOfFrames] = field{"IS", "3"}
	for i := range 3 { // two fragments a frame
		b := dicomtest.RLE(bytes.Repeat([]byte{byte(i + 1)}, 6))
		f.offsets = append(f.offsets, uint32(i*(16+len(b))))
		f.fragments = append(f.fragments, b[:32], b[32:])
	}
	im, err := f.open()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		frame, err := im.Frame(i)
		if err != nil {
			t.Fatal(err)
		}
		if frame.Pix[0] != byte(i+1) || frame.Pix[5] != byte(i+1) {
			t.Errorf("frame %d shows %v", i, frame.Pix)
		}
	}
	if _, err := im.Frame(3); err == nil {
		t.Error("a frame beyond the last is given")
	}
	f.offsets = nil
	if _, err := f.open(); err == nil || !strings.Contains(err.Error(), "offset table") {
		t.Errorf("six fragments for three frames without a table: %v", err)
	}
}

// TestGreyIsShownAsMeant: inverse grey, fewer bits than bytes, overlays in unused
// bits, windows and signs.
func TestGreyIsShownAsMeant(t *testing.T) {
	grey := func(photometric string, stored, high int, values ...uint16) *testFile {
		f := picture(explicitLittle, photometric, 1, len(values), 1, 16)
		f.fields[tag.BitsStored] = field{"US", []uint16{uint16(stored)}}
		f.fields[tag.HighBit] = field{"US", []uint16{uint16(high)}}
		for _, v := range values {
			f.pixels = append(f.pixels, byte(v), byte(v>>8))
		}
		return f
	}
	windowed := grey(monochrome2, 12, 11, 0, 1000, 1500, 2000, 4095)
	windowed.fields[tag.WindowCenter] = field{"DS", "1500.5"}
	windowed.fields[tag.WindowWidth] = field{"DS", "1001"}
	signed := grey(monochrome2, 12, 11, 0x800, 0xFFF, 0, 0x7FF)
	signed.fields[tag.PixelRepresentation] = field{"US", []uint16{1}}
	for what, c := range map[string]struct {
		f    *testFile
		want []uint8
	}{
		"full range":   {grey(monochrome2, 12, 11, 0, 2048, 4095), []uint8{0, 128, 255}},
		"overlay bits": {grey(monochrome2, 12, 11, 0xF000, 0xF800, 0xFFFF), []uint8{0, 128, 255}},
		"high bits":    {grey(monochrome2, 12, 15, 0, 0x8000, 0xFFF0), []uint8{0, 128, 255}},
		"0 is white":   {grey(monochrome1, 12, 11, 0, 2048, 4095), []uint8{255, 127, 0}},
		"8 bits in 16": {grey(monochrome2, 8, 7, 0, 77, 255), []uint8{0, 77, 255}},
		"1 bit":        {grey(monochrome2, 1, 0, 0, 1), []uint8{0, 255}},
		"window":       {windowed, []uint8{0, 0, 127, 255, 255}},
		"signed":       {signed, []uint8{0, 127, 128, 255}},
	} {
		if got := firstFrame(t, c.f).Pix; !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

// linePalette is a file whose palette is segmented: 0, then a line to 0x8000 in
// 4 steps.
func linePalette() *testFile {
	f := picture(explicitLittle, paletteColour, 1, 4, 1, 8)
	f.pixels = []byte{0, 1, 3, 9} // the last is beyond the table
	for _, t := range []tag.Tag{tag.SegmentedRedPaletteColorLookupTableData, tag.SegmentedGreenPaletteColorLookupTableData, tag.SegmentedBluePaletteColorLookupTableData} {
		f.fields[t] = field{"OW", []uint16{0, 1, 0, 1, 4, 0x8000}}
	}
	for _, t := range []tag.Tag{tag.RedPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableDescriptor} {
		f.fields[t] = field{"US", []uint16{5, 0, 16}}
	}
	return f
}

// TestAPaletteOfLinesIsExpanded: PS3.3 C.7.9.2.
func TestAPaletteOfLinesIsExpanded(t *testing.T) {
	if got, want := firstFrame(t, linePalette()).Pix, []uint8{0, 0, 0, 0x20, 0x20, 0x20, 0x60, 0x60, 0x60, 0x80, 0x80, 0x80}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// baselineFile is a smooth colour picture as baseline JPEG with halved chroma.
func baselineFile(t testing.TB) *testFile {
	t.Helper()
	f := picture(jpegBaseline, ybrFull422, 24, 40, 3, 8)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, smooth(40, 24), &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	f.fragments = [][]byte{b.Bytes()}
	return f
}

func smooth(w, h int) *image.RGBA {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			im.SetRGBA(x, y, color.RGBA{uint8(5 * x), uint8(8 * y), uint8(255 - 3*x), 255})
		}
	}
	return im
}

// TestBaselineJPEGKeepsColours: chroma is interpolated, so that a slow change of
// colour stays one.
func TestBaselineJPEGKeepsColours(t *testing.T) {
	got, want := firstFrame(t, baselineFile(t)), smooth(40, 24)
	for i := range 40 * 24 {
		for c := range 3 {
			if d := int(got.Pix[3*i+c]) - int(want.Pix[4*i+c]); d > 8 || d < -8 {
				t.Fatalf("pixel %d, channel %d is %d levels off", i, c, d)
			}
		}
	}
	im, ok := got.Image().(*jpegdct.Picture)
	if !ok || im.Bounds() != want.Bounds() {
		t.Fatalf("the frame as image.Image is a %T of %v, not what JPEG coded", got.Image(), got.Image().Bounds())
	}
	if _, g, _, _ := im.At(37, 1).RGBA(); max(int(g>>8)-int(got.Pix[3*77+1]), int(got.Pix[3*77+1])-int(g>>8)) > 4 {
		t.Errorf("the frame as image.Image has %d where the frame has %d", g>>8, got.Pix[3*77+1])
	}
}

// TestAFrameIsAnImage: grey or RGB.
func TestAFrameIsAnImage(t *testing.T) {
	f := &Frame{Height: 1, Width: 2, Channels: 3, Pix: []uint8{1, 2, 3, 4, 5, 6}}
	if im, ok := f.Image().(*image.RGBA); !ok || im.RGBAAt(1, 0) != (color.RGBA{4, 5, 6, 255}) {
		t.Errorf("an RGB frame as image.Image is %v", f.Image())
	}
	f = &Frame{Height: 1, Width: 2, Channels: 1, Pix: []uint8{1, 2}}
	if im, ok := f.Image().(*image.Gray); !ok || im.GrayAt(1, 0).Y != 2 {
		t.Errorf("a grey frame as image.Image is %v", f.Image())
	}
}

// TestTheTimeBetweenFrames comes from whichever element has it.
func TestTheTimeBetweenFrames(t *testing.T) {
	for name, c := range map[string]struct {
		tag   tag.Tag
		value field
		ms    float64
	}{
		"time":       {tag.FrameTime, field{"DS", "33.3"}, 33.3},
		"vector":     {tag.FrameTimeVector, field{"DS", `0\50\40\900`}, 50},
		"rate":       {tag.CineRate, field{"IS", "25"}, 40},
		"no number":  {tag.CineRate, field{"IS", "fast"}, 0},
		"not at all": {tag.Modality, field{"CS", "US"}, 0},
	} {
		f := linePalette()
		f.fields[c.tag] = c.value
		im, err := f.open()
		if err != nil {
			t.Fatal(err)
		}
		if im.FrameTimeMs != c.ms {
			t.Errorf("%s: %g ms, want %g", name, im.FrameTimeMs, c.ms)
		}
	}
}

// TestWhatCannotBeReadSaysWhyAndWhatToDo: the error names the coding or the
// fault, and a remedy.
func TestWhatCannotBeReadSaysWhyAndWhatToDo(t *testing.T) {
	base := func(change func(*testFile)) *testFile {
		f := picture(explicitLittle, rgb, 6, 8, 3, 8)
		f.pixels = ramp(144)
		change(f)
		return f
	}
	us := func(n uint16) field { return field{"US", []uint16{n}} }
	for what, c := range map[string]struct {
		f    *testFile
		says string
	}{
		"JPEG 2000":           {base(func(f *testFile) { f.syntax = "1.2.840.10008.1.2.4.90" }), "JPEG 2000"},
		"JPEG-LS":             {base(func(f *testFile) { f.syntax = "1.2.840.10008.1.2.4.80" }), "JPEG-LS"},
		"video":               {base(func(f *testFile) { f.syntax = "1.2.840.10008.1.2.4.102" }), "MPEG"},
		"an unknown coding":   {base(func(f *testFile) { f.syntax = "1.2.3" }), "unknown coding"},
		"no pixels":           {base(func(f *testFile) { f.pixels = nil }), "no picture"},
		"too few pixels":      {base(func(f *testFile) { f.pixels = f.pixels[:100] }), "ends too early"},
		"no height":           {base(func(f *testFile) { delete(f.fields, tag.Rows) }), "Rows"},
		"32 bits":             {base(func(f *testFile) { f.fields[tag.BitsAllocated] = us(32) }), "BitsAllocated"},
		"a bomb":              {base(func(f *testFile) { f.fields[tag.Rows], f.fields[tag.Columns] = us(60000), us(60000) }), "above the limit"},
		"frames like sand":    {base(func(f *testFile) { f.fields[tag.NumberOfFrames] = field{"IS", "2000000000"} }), "NumberOfFrames"},
		"frames of no number": {base(func(f *testFile) { f.fields[tag.NumberOfFrames] = field{"IS", "1A"} }), "NumberOfFrames"},
		"CMYK":                {base(func(f *testFile) { f.fields[tag.PhotometricInterpretation] = field{"CS", "CMYK"} }), "CMYK"},
		"grey of 3 samples":   {base(func(f *testFile) { f.fields[tag.PhotometricInterpretation] = field{"CS", monochrome2} }), "samples per pixel"},
		"no palette": {base(func(f *testFile) {
			f.fields[tag.PhotometricInterpretation], f.fields[tag.SamplesPerPixel] = field{"CS", paletteColour}, us(1)
		}), "palette"},
		"RLE of other size": {base(func(f *testFile) {
			f.syntax, f.fragments = rleLossless, [][]byte{dicomtest.RLE(ramp(48), ramp(48))}
		}), "RLE"},
		"progressive JPEG": {base(func(f *testFile) {
			f.syntax, f.fragments = jpegBaseline, [][]byte{append([]byte{0xFF, 0xD8, 0xFF, 0xC2, 0, 11}, make([]byte, 20)...)}
		}), "SOF2"},
		"JPEG of fewer bits": {base(func(f *testFile) {
			f.syntax, f.fragments, f.fields[tag.BitsStored], f.fields[tag.HighBit] = jpegBaseline, [][]byte{{}}, us(4), us(3)
		}), "4 bits stored"},
		"JPEG of other size": {base(func(f *testFile) {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 16, 16)), nil); err != nil {
				t.Fatal(err)
			}
			f.syntax, f.fragments = jpegBaseline, [][]byte{b.Bytes()}
		}), "the header 8 x 6"},
		"nested without end": {base(func(f *testFile) {
			item := map[tag.Tag]field{}
			for range 40 {
				item = map[tag.Tag]field{tag.SequenceOfUltrasoundRegions: {"SQ", []map[tag.Tag]field{item}}}
			}
			f.fields[tag.SequenceOfUltrasoundRegions] = field{"SQ", []map[tag.Tag]field{item}}
		}), "nested deeper"},
		"a value of 1.5 MB": {base(func(f *testFile) {
			f.fields[tag.SequenceOfUltrasoundRegions] = field{"SQ", slices.Repeat([]map[tag.Tag]field{region(1, 0, 0, 1, 1)}, 8000)}
		}), "more than such a value has"},
	} {
		im, err := c.f.open()
		if err == nil {
			_, err = im.Frame(0)
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "test file") {
			t.Errorf("%s: %v", what, err)
		}
	}
	var unsupported *UnsupportedSyntaxError
	if _, err := base(func(f *testFile) { f.syntax = "1.2.840.10008.1.2.4.90" }).open(); !errors.As(err, &unsupported) {
		t.Errorf("%v is no UnsupportedSyntaxError", err)
	}
	if _, err := base(func(f *testFile) { f.pixels = nil }).open(); !errors.Is(err, ErrNoPicture) {
		t.Errorf("%v is not ErrNoPicture", err)
	}
}

// TestACutFileIsAnError: wherever it is cut, at once or when its frame is read.
func TestACutFileIsAnError(t *testing.T) {
	for name, f := range everyKind() {
		whole := f.bytes()
		tail := 0
		if f.fragments != nil {
			tail = 10 // the delimiter and a byte of padding may be missing
		}
		for n := range len(whole) - tail {
			im, err := New("cut", bytes.NewReader(whole[:n]), int64(n))
			if err == nil {
				_, err = im.Frame(0)
			}
			if err == nil {
				t.Errorf("%s: cut to %d of %d bytes, read without an error", name, n, len(whole))
			}
		}
	}
}
