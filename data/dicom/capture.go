package dicom

import (
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"

	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// WriteSecondaryCapture writes picture, such as a panel of B-mode and synthetic
// stiffness, as a Secondary Capture that any viewer shows (PS3.3 A.8). A strip
// below it says that it is synthetic, by which model, trained on what, and the
// provenance's warning: those words are pixels, no viewer can hide them.
func WriteSecondaryCapture(path string, picture image.Image, p Provenance) error {
	if err := writeCapture(path, picture, p); err != nil {
		return fmt.Errorf("writing the secondary capture %s: %w", path, err)
	}
	return nil
}

func writeCapture(path string, picture image.Image, p Provenance) error {
	if err := p.check(); err != nil {
		return err
	}
	if r := picture.Bounds(); r.Empty() || r.Dx() > maxFramePixels/r.Dy() {
		return fmt.Errorf("a picture of %d x %d pixels cannot be written", r.Dx(), r.Dy())
	}
	signed := burnIn(picture, p)
	w, h := signed.Rect.Dx(), signed.Rect.Dy()
	if w >= 1<<16 || h >= 1<<16 {
		return fmt.Errorf("a picture of %d x %d pixels is larger than DICOM allows (65535); draw it smaller", w, h)
	}
	pixels := make([]byte, 0, w*h*3+1)
	for i := 0; i < len(signed.Pix); i += 4 {
		pixels = append(pixels, signed.Pix[i:i+3]...)
	}
	content := sha256.Sum256(pixels)
	if len(pixels)%2 == 1 {
		pixels = append(pixels, 0)
	}

	b := newObject(secondaryCapture, "secondary capture", p, content[:])
	b.set(tag.ImageType, []string{"DERIVED", "SECONDARY"})
	b.set(tag.ConversionType, "WSD") // workstation
	b.set(tag.PatientOrientation, "")
	b.set(tag.DerivationDescription, p.derivation())
	p.sourceImage(b)
	b.set(tag.SamplesPerPixel, 3)
	b.set(tag.PhotometricInterpretation, rgb)
	b.set(tag.PlanarConfiguration, 0)
	b.set(tag.Rows, h)
	b.set(tag.Columns, w)
	b.set(tag.BitsAllocated, 8)
	b.set(tag.BitsStored, 8)
	b.set(tag.HighBit, 7)
	b.set(tag.PixelRepresentation, 0)
	b.set(tag.PixelData, lib.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels})
	return b.writeFile(path)
}

// burnIn copies the picture with the strip of text below it.
func burnIn(picture image.Image, p Provenance) *image.RGBA {
	src := picture.Bounds()
	text := []string{strings.ToUpper(researchUse) + ": not measured by a scanner, not for diagnosis",
		"model " + clip(p.Model, 200) + ", trained on " + clip(p.TrainingDomain, 200)}
	if p.Warning != "" {
		text = append(text, "WARNING: "+clip(p.Warning, 400))
	}
	face := basicfont.Face7x13
	scale := max(1, src.Dx()/600) // letters stay readable when a large panel is shown small
	var lines []string
	for _, t := range text {
		lines = append(lines, wrap(t, max(1, src.Dx()/scale/face.Advance))...)
	}
	strip := image.NewGray(image.Rect(0, 0, (src.Dx()+scale-1)/scale, face.Height*len(lines)+4))
	pen := font.Drawer{Dst: strip, Src: image.White, Face: face}
	for i, l := range lines {
		pen.Dot = fixed.P(1, 2+face.Ascent+i*face.Height)
		pen.DrawString(l)
	}
	out := image.NewRGBA(image.Rect(0, 0, src.Dx(), src.Dy()+scale*strip.Rect.Dy()))
	draw.Draw(out, out.Rect, image.Black, image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, picture, src.Min, draw.Over)
	yellow := color.RGBA{255, 220, 0, 255}
	for y := src.Dy(); y < out.Rect.Dy(); y++ {
		for x := range src.Dx() {
			out.SetRGBA(x, y, color.RGBA{0, 0, 0, 255})
			if strip.GrayAt(x/scale, (y-src.Dy())/scale).Y > 127 {
				out.SetRGBA(x, y, yellow)
			}
		}
	}
	return out
}

// wrap breaks text at spaces into lines of at most n letters.
func wrap(text string, n int) []string {
	var lines []string
	for len(text) > n {
		cut := strings.LastIndexByte(text[:n+1], ' ')
		if cut <= 0 {
			cut = n
		}
		lines = append(lines, text[:cut])
		text = strings.TrimLeft(text[cut:], " ")
	}
	return append(lines, text)
}
