"""Count the tones that a page plays, in `data-tones` of its root."""

COUNT_TONES = """() => {
    const root = document.documentElement;
    root.dataset.tones = 0;
    const make = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () {
        root.dataset.tones = Number(root.dataset.tones) + 1;
        return make.call(this);
    };
}"""
