#include <aimfair/version.h>
#include <stdio.h>

int main(void)
{
    puts(aimf_version());
    return 0;
}
