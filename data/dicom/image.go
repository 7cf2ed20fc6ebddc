package dicom

import (
	"fmt"
	"image"
	"io"
	"os"

	"elastography/data/jpegdct"
)

// Image is an opened DICOM picture or cine: what it is, where its pixels are,
// but no pixels yet. Frames are decoded one at a time by Frame, so a long cine
// takes the memory of one picture. Safe for concurrent use until Close.
type Image struct {
	Name string // of the file, for messages; it may name a patient, never store it

	Height, Width int // px
	Frames        int
	Channels      int // of a decoded frame: 1 grey, 3 RGB

	TransferSyntax string // name, such as "RLE Lossless"
	Photometric    string // Photometric Interpretation (0028,0004)
	BitsStored     int    // of a sample
	Lossy          bool   // compressed with loss, now or earlier (0028,2110)

	SOPClassUID  string  // what kind of object this is, such as US Multi-frame
	Modality     string  // such as "US"; "" where it is not a code of the standard
	Manufacturer string  // "" where absent
	Model        string  // Manufacturer's Model Name, "" where absent
	FrameTimeMs  float64 // time from frame to frame, 0 where unknown

	DepthMMPerPx, LateralMMPerPx float64 // Pixel Spacing (0028,0030), 0 where absent; Regions say more
	Regions                      []Region
	BurnedIn                     bool // Burned In Annotation (0028,0301) is not "NO": the picture may name the patient
	PrivateElements              int  // elements of vendors' private groups present; they are never read

	pixel  pixelFormat
	header header
	file   io.ReaderAt
	close  func() error
}

// Open reads the header of the DICOM file at path. The error of a file that
// cannot be read names the file, what is wrong and the remedy. Close it.
func Open(path string) (*Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening DICOM: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("opening DICOM: %w", err)
	}
	im, err := New(path, f, info.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	im.close = f.Close
	return im, nil
}

// New reads the header of a DICOM file of size bytes; name is for messages. r
// must stay readable until the last Frame.
func New(name string, r io.ReaderAt, size int64) (*Image, error) {
	im, err := read(r, size)
	if err != nil {
		return nil, fmt.Errorf("reading DICOM %s: %w", name, err)
	}
	im.Name, im.file = name, r
	return im, nil
}

// Close closes the file. Frames already decoded stay valid.
func (im *Image) Close() error {
	if im.close == nil {
		return nil
	}
	return im.close()
}

// Is reports whether a file that begins with head (132 bytes or more) is DICOM.
func Is(head []byte) bool {
	return len(head) >= preambleBytes+4 && string(head[preambleBytes:preambleBytes+4]) == "DICM"
}

// Frame is one decoded picture, 8 bits a sample.
type Frame struct {
	Height, Width int     // px
	Channels      int     // 1 grey (0 is black), 3 RGB
	Pix           []uint8 // [Height, Width, Channels]

	coded *jpegdct.Picture // the same as JPEG coded it; nil for other codings
}

// Image is the frame as an image.Gray (sharing Pix), an image.RGBA or, from JPEG
// baseline in YBR, the jpegdct.Picture that was coded: its brightness and colour
// are not yet rounded and cut off at 0 and 255 as Pix's are.
func (f *Frame) Image() image.Image {
	if f.coded != nil {
		return f.coded
	}
	r := image.Rect(0, 0, f.Width, f.Height)
	if f.Channels == 1 {
		return &image.Gray{Pix: f.Pix, Stride: f.Width, Rect: r}
	}
	out := image.NewRGBA(r)
	for i := range f.Width * f.Height {
		out.Pix[4*i], out.Pix[4*i+1], out.Pix[4*i+2], out.Pix[4*i+3] = f.Pix[3*i], f.Pix[3*i+1], f.Pix[3*i+2], 255
	}
	return out
}
