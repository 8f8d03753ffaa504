#include <stdio.h>

int ear_check_cases(void);

int main(void)
{
    printf("first wrong case: %d\n", ear_check_cases());
    return 0;
}
