package dicom

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// UIDs of the transfer syntaxes read, PS3.6 table A-1.
const (
	implicitLittle = "1.2.840.10008.1.2"
	explicitLittle = "1.2.840.10008.1.2.1"
	explicitBig    = "1.2.840.10008.1.2.2"
	rleLossless    = "1.2.840.10008.1.2.5"
	jpegBaseline   = "1.2.840.10008.1.2.4.50"
	jpegLossless   = "1.2.840.10008.1.2.4.57" // process 14, any selection value
	jpegLosslessSV = "1.2.840.10008.1.2.4.70" // process 14, selection value 1
)

// syntax is a transfer syntax: how the data set and its pixels are coded.
type syntax struct {
	uid, name string
	lossy     bool
}

var syntaxes = map[string]syntax{
	implicitLittle: {uid: implicitLittle, name: "Implicit VR Little Endian"},
	explicitLittle: {uid: explicitLittle, name: "Explicit VR Little Endian"},
	explicitBig:    {uid: explicitBig, name: "Explicit VR Big Endian"},
	rleLossless:    {uid: rleLossless, name: "RLE Lossless"},
	jpegBaseline:   {uid: jpegBaseline, name: "JPEG Baseline (Process 1)", lossy: true},
	jpegLossless:   {uid: jpegLossless, name: "JPEG Lossless (Process 14)"},
	jpegLosslessSV: {uid: jpegLosslessSV, name: "JPEG Lossless (Process 14, Selection Value 1)"},
}

// notRead names what is met in practice and not read.
var notRead = []struct{ prefix, name string }{
	{"1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian"},
	{"1.2.840.10008.1.2.4.51", "JPEG Extended, 12 bit (Process 2 and 4)"},
	{"1.2.840.10008.1.2.4.80", "JPEG-LS Lossless"},
	{"1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless"},
	{"1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless"},
	{"1.2.840.10008.1.2.4.91", "JPEG 2000"},
	{"1.2.840.10008.1.2.4.10", "MPEG video"},
	{"1.2.840.10008.1.2.4.20", "High-Throughput JPEG 2000"},
}

// UnsupportedSyntaxError says that the pixels are coded in a way not read here.
type UnsupportedSyntaxError struct {
	UID  string
	Name string // "" for a UID that is not in our list
}

// Error names the syntax and how to get a file that is read.
func (e *UnsupportedSyntaxError) Error() string {
	name := e.Name
	if name == "" {
		name = "an unknown coding"
	}
	return fmt.Sprintf("the pixels are coded as %s (%s), which is not read; export without compression, as JPEG baseline or RLE, or convert with `gdcmconv --raw` or `dcmdjpeg`", name, e.UID)
}

func syntaxByUID(uid string) (syntax, error) {
	if s, ok := syntaxes[uid]; ok {
		return s, nil
	}
	e := &UnsupportedSyntaxError{UID: printable(uid)}
	for _, n := range notRead {
		if strings.HasPrefix(uid, n.prefix) {
			e.Name = n.name
			break
		}
	}
	return syntax{}, e
}

func (s syntax) order() binary.ByteOrder {
	if s.uid == explicitBig {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// encapsulated: the pixel data come as fragments, PS3.5 A.4.
func (s syntax) encapsulated() bool {
	return s.uid != implicitLittle && s.uid != explicitLittle && s.uid != explicitBig
}
