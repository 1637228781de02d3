// Goes on by itself; the button is there for browsers without scripts.
document.getElementById("open").submit();
