package dicom

// What a file may ask for. A header may promise anything; these are checked
// before memory is taken.
const (
	maxFramePixels  = 24 << 20  // three 4K screens, as package scan's DefaultMaxPixels; 16-bit RGB of it is 144 MiB
	maxFrames       = 1 << 16   // 18 minutes of cine at 60 Hz
	maxFrameBytes   = 256 << 20 // compressed bytes of one frame: above 24 Mpx of 16-bit RGB, uncompressed
	maxElements     = 1 << 20   // headers walked in one file; enhanced multi-frame objects have 10^5
	maxDepth        = 32        // nested sequences; the deepest of the standard have about 10
	maxElementBytes = 1 << 20   // one wanted element; the largest, a palette channel, has 128 KiB
	maxHeaderBytes  = 8 << 20   // all wanted elements together
	maxRegions      = 256       // ultrasound regions; real screens have 1 to 10
)
